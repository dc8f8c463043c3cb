# ROOT PLACE JOB COMMENT LOCK_TIMEOUT GRACE GRACE_OF_BEGUN LEGACY HOW: submits job.sbatch of the
# job exactly once. If HOW is `find`, only searches Slurm for the job of an earlier attempt.
#
# The state is in the job's folder in the private folder, where no program can write:
#   slurm-id        Slurm has the job, under this id
#   submit-tried    sbatch was called and its result was not stored: `begun TIME` before the call, `failed TIME` after
#                   a result that leaves open whether Slurm has the job
# LEGACY is the executable folder, below ROOT, of a job that the version before may have submitted. It left its markers there,
# where programs can write. So a marker is only a reason to search Slurm first.
# Prints `submitted ID`, `adopted ID` or, for `find`, `none`; or a message.
job=$3 comment=$4 grace=$6 grace_of_begun=$7 how_far=$9
not_certain="Slurm may still show the job of an earlier attempt"
legacy_tried=''
if [ -n "$8" ]; then
  # A program may have made the folder inaccessible: then it has run, and Slurm has the job.
  legacy_tried=$(
    cd -- "$1/$8" 2>/dev/null || { [ ! -e "$1/$8" ] || echo 0; exit; }
    stat -c %Y -- ./.cgc-submit-tried ./.cgc-slurm-id 2>/dev/null | sort -n | tail -n 1
  )
  case $legacy_tried in *[!0-9]*) legacy_tried=0 ;; esac
fi

keep() { printf '%s\n' "$1" >slurm-id.part && mv -f slurm-id.part slurm-id; }

# pick NODES_OF_A_REJECTED: sets `id` to the job of this name and comment in `seen`, or to an empty string. A rejected
# submission leaves a record without nodes, which is not a job. Accounting may store no comments. If somebody else has
# submitted a job of this name, it is not adopted, and this one is not submitted.
pick() {
  id=$(printf '%s\n' "$seen" | awk -F'|' -v ours="$comment" -v none="$1" '
    $1 !~ /^[0-9]+$/ || ($2 == "FAILED" && $3 == none) { next }
    $4 == ours || $4 == "" || $4 == "(null)" { print $1; next }
    { print "other" }' | sort -n | tail -n 1)
  [ "$id" != other ] || say 43 "Slurm has another job of the name $job"
}

# look SECONDS: sets `id` to the job in Slurm of the last SECONDS, else to an empty string. A failed query never means "not there".
look() {
  seen=$(squeue --me -h -t all -n "$job" -o '%i|%T|%N|%k' 2>&1) ||
    say 43 "cannot query Slurm for an earlier submission of the job: $seen"
  pick ''
  [ -z "$id" ] || return 0
  if seen=$(sacct -n -X -P --name "$job" -S "now-$1seconds" -o JobIDRaw,State,NodeList,Comment 2>&1); then
    pick 'None assigned'
    return 0
  fi
  case $seen in
    *"accounting storage is disabled"*) ;;
    *) say 43 "cannot query Slurm's accounting for an earlier submission of the job: $seen" ;;
  esac
}

# For `find` without the files of the job: searches Slurm, back to three days ago.
look_at_slurm() {
  [ "$how_far" = find ] || return 0
  look 259200
  [ -z "$id" ] || say 0 "adopted $id"
  if [ -n "$legacy_tried" ]; then
    age=$(($(date +%s) - legacy_tried)) # a program may have set any time
    [ "$age" -ge "$grace_of_begun" ] || [ "$age" -lt -3600 ] || say 43 "$not_certain"
  fi
  say 0 none
}

ours "$1" "$2"
if ! cd -- "jobs/$job" 2>/dev/null || [ ! -f job.sbatch ]; then
  look_at_slurm
  exit 40
fi
(: >>submit.lock) 2>/dev/null || {
  look_at_slurm
  say 44 "cannot write in $here/jobs/$job"
}
exec 9>>submit.lock
flock -w "$5" -E 75 9
case $? in
  0) ;;
  75) say 43 "another submission of this job is in progress on the login node" ;;
  *) say 44 "the file system of $here does not support flock: ask the site to mount it with locks" ;;
esac
[ -z "$legacy_tried" ] || [ -e slurm-id ] || [ -e submit-tried ] || printf 'begun %s\n' "$(date +%s)" >submit-tried

if [ -s slurm-id ]; then
  read -r id <slurm-id
  whose "$id" "$job" "$comment" || say 43 "cannot query Slurm for job $id: $seen"
  [ "$whose" != other ] || say 43 "the Slurm id $id belongs to another job by now"
  say 0 "adopted $id"
fi

if [ -e submit-tried ]; then
  how='' since=''
  read -r how since <submit-tried
  case $since in '' | *[!0-9]*) since=$(stat -c %Y submit-tried) ;; esac
  [ "$how" = failed ] || grace=$grace_of_begun
  age=$(($(date +%s) - since))
  [ "$age" -ge 0 ] || age=0
  look $((age + 259200))
  if [ -n "$id" ]; then
    keep "$id"
    say 0 "adopted $id"
  fi
  [ "$age" -ge "$grace" ] || say 43 "$not_certain"
  [ "$how_far" != find ] || say 0 none
  # Slurm does not know the job, but its output shows that it had started.
  [ ! -e job.stdout ] ||
    say 43 "an earlier attempt has started, but Slurm does not know the job: another submission would run it twice"
  rm -f submit-tried
fi

[ "$how_far" != find ] || say 0 none
(set -C && printf 'begun %s\n' "$(date +%s)" >submit-tried) 2>/dev/null || {
  [ ! -s submit-tried ] || say 43 "another submission of this job has just begun"
  rm -f submit-tried
  say 44 "cannot write in $here/jobs/$job: is the disk full?"
}
out=$(sbatch --parsable --job-name="$job" --comment="$comment" job.sbatch 2>sbatch.err </dev/null)
code=$?
id=$(printf '%s\n' "$out" | sed -n 's/^\([0-9][0-9]*\)\(;.*\)\{0,1\}$/\1/p' | tail -n 1)
if [ "$code" = 0 ] && [ -n "$id" ]; then
  keep "$id"
  rm -f sbatch.err
  say 0 "submitted $id"
fi

message=$(cat sbatch.err; printf '%s' "$out")
message=${message:-sbatch ended with exit code $code without a message}
case $code:$message in
  0:*) doubt=1 ;;                                        # accepted, but the id could not be parsed
  126:* | 127:*) doubt='' trouble=1 ;;                   # sbatch could not be started
  129:* | 13[0-9]:* | 14[0-9]:* | 15[0-9]:*) doubt=1 ;;  # killed
  *"ocket timed out"* | *"nable to contact"* | *"ero Bytes"* | *"onnection refused"* | *"onnection timed out"* | \
    *"onnection reset"* | *"roken pipe"* | *"uthentication"* | *"nexpected message"* | *"end/recv"* | *"communication"*) doubt=1 ;;
  *MaxSubmitJob* | *"rror writing"* | *"emporarily"*) doubt='' trouble=1 ;;  # rejected for now
  *) doubt='' trouble='' ;;
esac
if [ -n "$doubt" ]; then
  printf 'failed %s\n' "$(date +%s)" >submit-tried
  look 3600
  if [ -n "$id" ]; then
    keep "$id"
    say 0 "submitted $id"
  fi
  say 43 "it is unknown whether Slurm has accepted the job: $message"
fi
rm -f submit-tried sbatch.err
[ -z "$trouble" ] || say 44 "$message"
say 42 "$message"
