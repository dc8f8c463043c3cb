# ROOT PLACE JOB: removes the files of a job from the private folder
ours "$1" "$2"
message=$(rm -rf -- "jobs/$3" 2>&1) || say 44 "$message"
