# COLUMNS IDS: what accounting says of these jobs
SLURM_TIME_FORMAT=%s sacct -n -X -P -j "$2" -o "$1" || exit 44
