# COLUMNS IDS: what accounting says of these jobs
sacct -n -X -P -j "$2" -o "$1" || exit 44
