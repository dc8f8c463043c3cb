# ROOT PLACE JOB NAME SIZE: writes the input to a file of the job, completely or not at all.
guard
unlock
before=$(submissions)
ours "$1" "$2"
failed() {
  rm -f -- "jobs/$3/.part-$mark"
  say 44 "cannot write $4 of job $3: ${message:-its content was cut}"
}
message=$({
  mkdir -p -- "jobs/$3" && cat >"jobs/$3/.part-$mark" && [ "$(stat -c %s -- "jobs/$3/.part-$mark")" = "$5" ]
} 2>&1) || failed "$@"
trap 'code=$?; rm -f -- "jobs/'"$3"'/.part-$mark"; printf "\n%s end %s\n" "$mark" "$code"' EXIT
guard_file "$before"
message=$(mv -fT -- "jobs/$3/.part-$mark" "jobs/$3/$4" 2>&1) || failed "$@"
