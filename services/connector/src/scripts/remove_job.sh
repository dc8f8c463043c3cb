# ROOT PLACE JOB: removes the files of a job from the private folder. For 90 days, `done/JOB` keeps a fence, Slurm id and exit
# code, so that the job is not run again after a restore of the database. The fence is one above the newest: the last holder
# of the job has nothing more to do, so what is still under way from it is rejected.
ours "$1" "$2"
[ -d "jobs/$3" ] || exit 0
private=$here job_folder=$here/jobs/$3
lock 20
number_in "$job_folder/slurm-id"
past_id=$number
past_exit=-
[ ! -s "$job_folder/job.exit" ] || { number_in "$job_folder/job.exit" && past_exit=$number; }
number_in "$job_folder/fence"
newest=$number
if [ "$past_id" != 0 ] || [ "$newest" != 0 ]; then
  number_in "done/$3"
  [ "$number" -le "$newest" ] || newest=$number
  # The file of the fence is written over and renamed: that takes no space, also on a full disk.
  message=$({ mkdir -p done && printf '%s %s %s\n' $((newest + 1)) "$past_id" "$past_exit" 1<>"$job_folder/fence" && mv -fT -- "$job_folder/fence" "done/$3"; } 2>&1) ||
    say 44 "$message"
fi
# The folder is renamed under the lock. On NFS it cannot be removed while the lock is open.
message=$({ mkdir -p staging && mv -T -- "jobs/$3" "staging/removed-$mark"; } 2>&1) || say 44 "$message"
exec 9>&-
message=$(rm -rf -- "staging/removed-$mark" 2>&1) || say 44 "$message"
# Not on each call.
case $mark in *0) find done -maxdepth 1 -type f -mtime +90 -exec rm -f -- {} + 2>/dev/null ;; esac
exit 0
