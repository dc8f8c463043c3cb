# ROOT PLACE JOB COMMENT LOCK_PATIENCE GRACE GRACE_OF_BEGUN LEGACY HOW: hands the job's job.sbatch to Slurm, once
# and only once; where HOW is `look`, only looks whether Slurm has the job from an earlier attempt.
#
# The job's folder in our own place decides; no program can write there:
#   slurm-id        Slurm has it, under this id
#   submit-tried    sbatch was called and its answer was not kept: `begun TIME` before the call, `failed TIME` after
#                   an answer that leaves open whether Slurm has the job
# LEGACY is the executable folder, below ROOT, of a job that the version before may have submitted; it left its marks there,
# where programs write. That one is there is only a reason to look in Slurm first.
# Answers `submitted ID`, `adopted ID` or, to a look, `none`; or words.
job=$3 comment=$4 grace=$6 grace_of_begun=$7 how_far=$9
not_certain="it is not certain yet that Slurm does not have the job from an earlier attempt"
legacy_tried=''
if [ -n "$8" ]; then
  # A program may have closed the folder: then it has run, and Slurm has the job.
  legacy_tried=$(
    cd -- "$1/$8" 2>/dev/null || { [ ! -e "$1/$8" ] || echo 0; exit; }
    stat -c %Y -- ./.cgc-submit-tried ./.cgc-slurm-id 2>/dev/null | sort -n | tail -n 1
  )
  case $legacy_tried in *[!0-9]*) legacy_tried=0 ;; esac
fi

keep() { printf '%s\n' "$1" >slurm-id.part && mv -f slurm-id.part slurm-id; }

# pick STATE_OF_A_REFUSED: sets `id` to the job of this name and comment in `seen`, or to nothing. A refused submission leaves a
# record that never had a node: that is no job. Accounting may keep no comments. A job of this name that another one has
# submitted is neither taken for ours nor doubled.
pick() {
  id=$(printf '%s\n' "$seen" | awk -F'|' -v ours="$comment" -v none="$1" '
    $1 !~ /^[0-9]+$/ || ($2 == "FAILED" && $3 == none) { next }
    $4 == ours || $4 == "" || $4 == "(null)" { print $1; next }
    { print "other" }' | sort -n | tail -n 1)
  [ "$id" != other ] || say 43 "Slurm has a job of the name $job that is not this one"
}

# Sets `id` if Slurm has the job, else to nothing. Asking that fails is never "not there".
look() {
  seen=$(squeue --me -h -t all -n "$job" -o '%i|%T|%N|%k' 2>&1) ||
    say 43 "cannot ask Slurm whether it has the job already: $seen"
  pick ''
  [ -z "$id" ] || return 0
  if seen=$(sacct -n -X -P --name "$job" -S "now-$1seconds" -o JobIDRaw,State,NodeList,Comment 2>&1); then
    pick 'None assigned'
    return 0
  fi
  case $seen in
    *"accounting storage is disabled"*) ;;
    *) say 43 "cannot ask Slurm's accounting whether it has the job already: $seen" ;;
  esac
}

# What can be said without our own files: to a look, what Slurm has of the last three days.
look_at_slurm() {
  [ "$how_far" = look ] || return 0
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
  75) say 43 "another submission of this job is under way on the login node" ;;
  *) say 44 "the file system of $here does not support flock: have it mounted with locks" ;;
esac
[ -z "$legacy_tried" ] || [ -e slurm-id ] || [ -e submit-tried ] || printf 'begun %s\n' "$(date +%s)" >submit-tried

if [ -s slurm-id ]; then
  read -r id <slurm-id
  whose "$id" "$job" "$comment" || say 43 "cannot ask Slurm about job $id: $seen"
  [ "$whose" != other ] || say 43 "Slurm has another job under the id $id by now"
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
  [ "$how_far" != look ] || say 0 none
  # Slurm knows nothing of it; but what a job has written shows that it had started.
  [ ! -e job.stdout ] ||
    say 43 "an earlier attempt has begun to run, but Slurm does not know the job: submitting it again would run it twice"
  rm -f submit-tried
fi

[ "$how_far" != look ] || say 0 none
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

words=$(cat sbatch.err; printf '%s' "$out")
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
  printf 'failed %s\n' "$(date +%s)" >submit-tried
  look 3600
  if [ -n "$id" ]; then
    keep "$id"
    say 0 "submitted $id"
  fi
  say 43 "it is not known whether Slurm has accepted the job: $words"
fi
rm -f submit-tried sbatch.err
[ -z "$trouble" ] || say 44 "$words"
say 42 "$words"
