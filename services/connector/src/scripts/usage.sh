# COLUMNS ID: what accounting says of this job and its steps
sacct -n -P -j "$2" -o "$1" || exit 44
