# ROOT PLACE JOB FOLDER: links the job's stdout and stderr to FOLDER/slurm_log, or copies them. They also stay in the private
# folder; as hard links they take no additional space.
stage "$1" "$2"
[ -e "jobs/$3/job.stdout" ] || exit 40
mkdir -- "$work/new" || exit 44
for log in job.stdout job.stderr; do
  [ ! -e "jobs/$3/$log" ] || ln -- "jobs/$3/$log" "$work/new/$log" 2>/dev/null ||
    message=$(cp -- "jobs/$3/$log" "$work/new/$log" 2>&1) || say 44 "$message"
done
guard
at "$1"
follow "$4"
place slurm_log
