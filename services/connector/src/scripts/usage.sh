# COLUMNS ID: prints a job and its steps from accounting
sacct -n -P -j "$2" -o "$1" || exit 44
