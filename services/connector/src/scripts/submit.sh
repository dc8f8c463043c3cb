# ROOT PLACE JOB COMMENT LOCK_TIMEOUT GRACE GRACE_OF_BEGUN LEGACY HOW: submits job.sbatch of the job exactly once. If HOW is
# `search`, searches Slurm for it first in any case. If HOW is `find`, only searches Slurm for the job of an earlier attempt.
#
# The state is in the job's folder in the private folder, where no program can write:
#   slurm-id        Slurm has the job, under this id
#   submit-tried    sbatch was called and its result was not stored: `begun TIME` before the call, `failed TIME` after
#                   a result that leaves open whether Slurm has the job
#   refused         Slurm has refused the job: fence of the caller, and Slurm's message
#   closed          a caller with this fence was told that Slurm does not have the job, and submits it no more
# LEGACY is the executable folder, below ROOT, of a job that the version before may have submitted. It left its markers there,
# where programs can write. So a marker is only a reason to search Slurm first.
# Prints `submitted ID`, `adopted ID` or, for `find`, `none`; or a message.
job=$3 comment=$4 grace=$6 grace_of_begun=$7 how_far=$9
[ -z "$fence" ] || [ "$fence_job" = "$job" ] || say 42 "the fence is of job $fence_job, not of $job"
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

# The id of a job begins with the time of its creation. Slurm cannot have it since before; the clock of the HPC may be slow.
lookback=$(printf %.10s "$job")
case $lookback in
  *[!0-9]*) lookback=259200 ;;
  *)
    lookback=$(($(date +%s) - lookback + 86400))
    [ "$lookback" -ge 3600 ] || lookback=259200
    [ "$lookback" -le 7776000 ] || lookback=7776000
    ;;
esac

# look: sets `id` to the job in Slurm, else to an empty string. A failed query never means "not there".
look() {
  seen=$(squeue --me -h -t all -n "$job" -o '%i|%T|%N|%k' 2>&1) ||
    say 43 "cannot query Slurm for an earlier submission of the job: $seen"
  pick ''
  [ -z "$id" ] || return 0
  if seen=$(sacct -n -X -P --name "$job" -S "now-${lookback}seconds" -o JobIDRaw,State,NodeList,Comment 2>&1); then
    pick 'None assigned'
    return 0
  fi
  case $seen in
    *"accounting storage is disabled"*) ;;
    *) say 43 "cannot query Slurm's accounting for an earlier submission of the job: $seen" ;;
  esac
}

# adopt ID: responds with the job of an earlier attempt
adopt() {
  rm -f sbatch.err slurm-id.part refused.part
  [ -z "$legacy_tried" ] || (at "$root_path" && follow "$legacy" && rm -f -- ./.cgc-submit.err) >/dev/null 2>&1
  say 0 "adopted $1"
}

# none: responds that Slurm does not have the job. A submission of the same caller or an older one that is still under way
# does not submit it any more.
none() {
  [ -z "$fence" ] || { printf '%s\n' "$fence" >closed; } 2>/dev/null || say 44 "cannot write in $job_folder: is the disk full?"
  say 0 none
}

# is_barred FILE: whether FILE is of the caller, or of a newer one. A caller without a fence is older than any.
is_barred() {
  [ -e "$1" ] || return 1
  number_in "$1"
  [ "${fence:-0}" -le "$number" ]
}

# recall: takes up what is known of a job whose files were removed: the database may have been restored from a dump
recall() {
  [ ! -s slurm-id ] || return 0
  past_id='' past_exit=''
  { read -r past_fence past_id past_exit <"$private/done/$job"; } 2>/dev/null
  case $past_id in '' | 0 | *[!0-9]*) return 0 ;; esac # 0: Slurm never had it
  case $past_exit in '' | *[!0-9]*) ;; *) [ -e job.exit ] || printf '%s\n' "$past_exit" >job.exit ;; esac
  keep "$past_id" || say 44 "cannot write in $job_folder: is the disk full?"
}

# For `find` without the files of the job: searches Slurm.
look_at_slurm() {
  [ "$how_far" = find ] || return 0
  look
  [ -z "$id" ] || say 0 "adopted $id"
  if [ -n "$legacy_tried" ]; then
    age=$(($(date +%s) - legacy_tried)) # a program may have set any time
    [ "$age" -ge "$grace_of_begun" ] || [ "$age" -lt -3600 ] || say 43 "$not_certain"
  fi
}

root_path=$1 legacy=$8
ours "$1" "$2"
private=$here job_folder=$here/jobs/$job
if [ -n "$fence" ]; then
  number_in "done/$job"
  [ "$fence" -ge "$number" ] || say 45 "$number"
  mkdir -p -- "$job_folder" 2>/dev/null
fi
if ! cd -- "$job_folder" 2>/dev/null || ! (: >>submit.lock) 2>/dev/null; then
  look_at_slurm
  [ "$how_far" != find ] || say 0 none
  [ -e "$job_folder/job.sbatch" ] || exit 40
  say 44 "cannot write in $job_folder"
fi
lock "$5"
compare_fence
recall
if [ ! -f job.sbatch ] && [ ! -s slurm-id ]; then
  look_at_slurm
  [ "$how_far" != find ] || none
  exit 40
fi
[ -z "$legacy_tried" ] || [ -e slurm-id ] || [ -e submit-tried ] || printf 'begun %s\n' "$(date +%s)" >submit-tried

if [ -s slurm-id ]; then
  read -r known <slurm-id
  whose "$known" "$job" "$comment" || say 43 "cannot query Slurm for job $known: $seen"
  [ "$whose" = other ] || adopt "$known"
  # Slurm has lost the job, or counts from the beginning again.
  look
  if [ -n "$id" ]; then
    keep "$id"
    adopt "$id"
  fi
  [ "$how_far" != find ] || none
  say 43 "the Slurm id $known belongs to another job by now, and Slurm has none of the name $job"
fi

tried=''
if [ -e submit-tried ]; then
  how='' since=''
  read -r how since <submit-tried
  case $since in '' | *[!0-9]*) since=$(stat -c %Y submit-tried) ;; esac
  [ "$how" = failed ] || grace=$grace_of_begun
  age=$(($(date +%s) - since))
  [ "$age" -ge 0 ] || age=0
  look
  if [ -n "$id" ]; then
    keep "$id"
    adopt "$id"
  fi
  [ "$age" -ge "$grace" ] || say 43 "$not_certain"
  tried=1
fi
[ "$how_far" != find ] || none
! is_barred refused || say 42 "$(sed 1d refused)"
! is_barred closed || say 42 "the job was not submitted, and its owner was told so: it is not submitted any more"
if [ "$how_far" = search ] || [ -e job.stdout ]; then
  [ -n "$tried" ] || look
  if [ -n "$id" ]; then
    keep "$id"
    adopt "$id"
  fi
  # Slurm does not know the job, but its output shows that it had started.
  [ ! -e job.stdout ] ||
    say 43 "an earlier attempt has started, but Slurm does not know the job: another submission would run it twice"
fi

[ -z "$tried" ] || rm -f submit-tried
rm -f refused closed transfer
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
  look
  if [ -n "$id" ]; then
    keep "$id"
    say 0 "submitted $id"
  fi
  say 43 "it is unknown whether Slurm has accepted the job: $message"
fi
rm -f submit-tried sbatch.err
[ -z "$trouble" ] || say 44 "$message"
{ printf '%s\n%.3000s\n' "${fence:-0}" "$message" >refused.part && mv -f refused.part refused; } 2>/dev/null
say 42 "$message"
