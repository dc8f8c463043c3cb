# ROOT TOP FOLDER JOB LOCK_PATIENCE GRACE GRACE_OF_BEGUN HOW: hands job.sbatch to Slurm, once and only once; where HOW is
# `look`, only looks whether Slurm has the job from an earlier attempt.
#
# What the folder holds decides:
#   .cgc-slurm-id        Slurm has it, under this id
#   .cgc-submit-tried    sbatch was called and its answer was not kept: `begun TIME` before the call, `failed TIME` after
#                        an answer that leaves open whether Slurm has the job
# Answers `submitted ID`, `adopted ID` or, to a look, `none`; or words.
inside "$@"
job=$4 grace=$6 grace_of_begun=$7 how_far=$8

# Sets `id` if Slurm has a job of this name, else to nothing. A refused submission leaves a record that never had a
# node: that is no job. Asking that fails is never "not there".
look() {
  seen=$(squeue --me -h -t all -n "$job" -o '%i|%T|%N' 2>&1) ||
    say 43 "cannot ask Slurm whether it has the job already: $seen"
  id=$(printf '%s\n' "$seen" | awk -F'|' '$1 ~ /^[0-9]+$/ && !($2 == "FAILED" && $3 == "") { print $1 }' | sort -n | tail -n 1)
  [ -z "$id" ] || return 0
  if seen=$(sacct -n -X -P --name "$job" -S "now-$1seconds" -o JobIDRaw,State,NodeList 2>&1); then
    id=$(printf '%s\n' "$seen" |
      awk -F'|' '$1 ~ /^[0-9]+$/ && !($2 == "FAILED" && $3 == "None assigned") { print $1 }' | sort -n | tail -n 1)
    return 0
  fi
  case $seen in
    *"accounting storage is disabled"*) ;;
    *) say 43 "cannot ask Slurm's accounting whether it has the job already: $seen" ;;
  esac
}

# What can be said without the folder: to a look, what Slurm has of the last three days.
look_at_slurm() {
  [ "$how_far" = look ] || return 0
  look 259200
  [ -z "$id" ] || say 0 "adopted $id"
  say 0 none
}

if ! cd -- "$real" 2>/dev/null || [ ! -f job.sbatch ]; then
  look_at_slurm
  exit 40
fi

(: >>.cgc-submit.lock) 2>/dev/null || {
  look_at_slurm
  say 44 "cannot write in $3"
}
exec 9>>.cgc-submit.lock
flock -w "$5" -E 75 9
case $? in
  0) ;;
  75) say 43 "another submission of this job is under way on the login node" ;;
  *) say 44 "the file system of $3 does not support flock: have it mounted with locks" ;;
esac

keep() { printf '%s\n' "$1" >.cgc-slurm-id.part && mv -f .cgc-slurm-id.part .cgc-slurm-id; }

if [ -s .cgc-slurm-id ]; then
  id=''
  read -r id <.cgc-slurm-id
  [ -n "$id" ] || look_at_slurm
  say 0 "adopted $id"
fi

if [ -e .cgc-submit-tried ]; then
  how='' at=''
  read -r how at <.cgc-submit-tried
  [ -n "$at" ] || at=$(stat -c %Y .cgc-submit-tried)
  [ "$how" = failed ] || grace=$grace_of_begun
  age=$(($(date +%s) - at))
  [ "$age" -ge 0 ] || age=0
  look $((age + 3600))
  if [ -n "$id" ]; then
    keep "$id"
    say 0 "adopted $id"
  fi
  [ "$age" -ge "$grace" ] || say 43 "it is not certain yet that Slurm does not have the job from an earlier attempt"
  [ "$how_far" != look ] || say 0 none
  # Slurm knows nothing of it; but what a job has written shows that it had started.
  output=$(sed -n 's/^#SBATCH --output=//p' job.sbatch | tail -n 1)
  [ -z "$output" ] || [ ! -e "$output" ] ||
    say 43 "an earlier attempt has written $output, but Slurm does not know the job: submitting it again would run it twice"
  rm -f .cgc-submit-tried
fi

[ "$how_far" != look ] || say 0 none
(set -C && printf 'begun %s\n' "$(date +%s)" >.cgc-submit-tried) 2>/dev/null || {
  [ ! -s .cgc-submit-tried ] || say 43 "another submission of this job has just begun"
  rm -f .cgc-submit-tried
  say 44 "cannot write in $3: is the disk full?"
}
out=$(sbatch --parsable --job-name="$job" job.sbatch 2>.cgc-submit.err </dev/null)
code=$?
id=$(printf '%s\n' "$out" | sed -n 's/^\([0-9][0-9]*\)\(;.*\)\{0,1\}$/\1/p' | tail -n 1)
if [ "$code" = 0 ] && [ -n "$id" ]; then
  keep "$id"
  rm -f .cgc-submit.err
  say 0 "submitted $id"
fi

words=$(cat .cgc-submit.err; printf '%s' "$out")
words=${words:-sbatch ended with exit code $code and no word}
case $code:$words in
  0:*) doubt=1 ;;                                        # accepted, but the id was not understood
  126:* | 127:*) doubt='' trouble=1 ;;                   # sbatch could not be started
  129:* | 13[0-9]:* | 14[0-9]:* | 15[0-9]:*) doubt=1 ;;  # killed
  *"ocket timed out"* | *"nable to contact"* | *"ero Bytes"* | *"onnection refused"* | *"onnection timed out"* | \
    *"onnection reset"* | *"roken pipe"* | *"uthentication"* | *"nexpected message"* | *"end/recv"* | *"communication"*) doubt=1 ;;
  *MaxSubmitJob* | *"rror writing"* | *"emporarily"*) doubt='' trouble=1 ;;  # a clear no, for now
  *) doubt='' trouble='' ;;
esac
if [ -n "$doubt" ]; then
  printf 'failed %s\n' "$(date +%s)" >.cgc-submit-tried
  look 3600
  if [ -n "$id" ]; then
    keep "$id"
    say 0 "submitted $id"
  fi
  say 43 "it is not known whether Slurm has accepted the job: $words"
fi
rm -f .cgc-submit-tried .cgc-submit.err
[ -z "$trouble" ] || say 44 "$words"
say 42 "$words"
