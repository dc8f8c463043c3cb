# ROOT PLACE JOB NAME SIZE: writes the input to a file of the job, completely or not at all.
ours "$1" "$2"
message=$({
  mkdir -p -- "jobs/$3" && cd -- "jobs/$3" && cat >".part-$mark" && [ "$(stat -c %s -- ".part-$mark")" = "$5" ] &&
    mv -fT -- ".part-$mark" "$4"
} 2>&1) || {
  rm -f -- "jobs/$3/.part-$mark"
  say 44 "cannot write $4 of job $3: ${message:-its content was cut}"
}
