# ROOT PLACE JOB FOLDER: puts the job's stdout and stderr into FOLDER/slurm_log. The logs stay in our own place as well, and
# take their room once.
stage "$1" "$2"
[ -e "jobs/$3/job.stdout" ] || exit 40
mkdir -- "$work/new" || exit 44
for log in job.stdout job.stderr; do
  [ ! -e "jobs/$3/$log" ] || ln -- "jobs/$3/$log" "$work/new/$log" 2>/dev/null ||
    words=$(cp -- "jobs/$3/$log" "$work/new/$log" 2>&1) || say 44 "$words"
done
at "$1"
follow "$4"
place slurm_log
