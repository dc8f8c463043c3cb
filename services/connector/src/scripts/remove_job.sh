# ROOT PLACE JOB: removes what is kept of a job in our own place
ours "$1" "$2"
words=$(rm -rf -- "jobs/$3" 2>&1) || say 44 "$words"
