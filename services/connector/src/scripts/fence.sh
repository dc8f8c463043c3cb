# The lock of a job, and the fence of the caller: `fence` and `fence_job`, and `fence_root` and `fence_place` where the
# files of the job are (see the prelude). The folder `jobs/ID/` in the private folder has these files:
#   submit.lock     locked while something is changed for the job
#   fence           the newest fence of a caller
#   transfer        the token of the latest transfer of a folder, until it is complete or the job is submitted
# `done/ID` has what must not be forgotten when the files of the job are removed: a fence, Slurm id, exit code.

# number_in FILE: the first word of FILE if it is a number, else 0
number_in() {
  number=''
  { read -r number more <"$1"; } 2>/dev/null
  case $number in '' | *[!0-9]*) number=0 ;; esac
}

# compare_fence: rejects the caller if another one with a newer fence was here, and stores a newer one. On a full disk it is
# written over the older one, which takes no space: the job that fills the disk can be cancelled.
compare_fence() {
  [ -n "$fence" ] || return 0
  number_in "$private/done/$fence_job"
  newest=$number
  number_in "$job_folder/fence"
  [ "$number" -le "$newest" ] || newest=$number
  [ "$fence" -ge "$newest" ] || say 45 "$newest"
  [ "$fence" -gt "$number" ] || return 0
  { printf '%s\n' "$fence" >"$job_folder/fence.part" && mv -f -- "$job_folder/fence.part" "$job_folder/fence"; } 2>/dev/null ||
    { [ "${#fence}" = "${#number}" ] && printf '%s\n' "$fence" 1<>"$job_folder/fence"; } 2>/dev/null ||
    say 44 "cannot write in $job_folder: is the disk full?"
}

# lock SECONDS: takes the lock of the job in `job_folder` for the rest of the script, or until `unlock`
lock() {
  (: >>"$job_folder/submit.lock") 2>/dev/null || say 44 "cannot write in $job_folder"
  exec 9>>"$job_folder/submit.lock"
  flock -w "$1" -E 75 9
  case $? in
    0) ;;
    75) say 43 "another operation on this job is in progress on the login node" ;;
    *) say 44 "the file system of $job_folder does not support flock: ask the site to mount it with locks" ;;
  esac
  [ "$job_folder/submit.lock" -ef /dev/fd/9 ] || say 44 "the files of the job have just been removed"
}

unlock() { [ -z "$fence" ] || exec 9>&-; }

# guard: for a caller with a fence: takes the lock of its job, and compares the fence. May change the folder. Called several
# times for each job: so it runs few commands.
guard() {
  [ -n "$fence" ] || return 0
  private=$fence_root/$fence_place job_folder=$fence_root/$fence_place/jobs/$fence_job
  if [ ! -d "$job_folder" ]; then
    number_in "$private/done/$fence_job"
    [ "$fence" -ge "$number" ] || say 45 "$number" # before a folder is created
    ours "$fence_root" "$fence_place"
    message=$(mkdir -p -- "$job_folder" 2>&1) || say 44 "$message"
  fi
  lock 10
  compare_fence
}

# begin_transfer TOKEN: for a caller with a fence: from now on, no transfer for the job that began earlier is completed
begin_transfer() {
  [ -n "$fence" ] || return 0
  guard
  message=$({ printf '%s\n' "$1" >"$job_folder/transfer"; } 2>&1) || say 44 "$message"
  unlock
}

# complete_transfer TOKEN: takes the lock, and rejects a transfer after which another one began or the job was submitted
complete_transfer() {
  [ -n "$fence" ] || return 0
  guard
  token=''
  { read -r token <"$job_folder/transfer"; } 2>/dev/null
  [ "$token" = "$1" ] || say 43 "the transfer came too late: another one began after it, or the job was submitted"
  rm -f -- "$job_folder/transfer"
}

# submissions: what is known of submissions of the job of the fence
submissions() {
  [ -n "$fence" ] || return 0
  of_job=$fence_root/$fence_place/jobs/$fence_job
  [ ! -e "$of_job/submit-tried" ] && [ ! -e "$of_job/slurm-id" ] || cat -- "$of_job/submit-tried" "$of_job/slurm-id" 2>/dev/null
}

# guard_file BEFORE: like `guard`, for a file. BEFORE is what `submissions` printed before the file was received: rejects a
# file that is complete only after the job was submitted.
guard_file() {
  [ -n "$fence" ] || return 0
  guard
  [ "$(submissions)" = "$1" ] || say 43 "the file came too late: the job was submitted meanwhile"
}
