# COLUMNS IDS: prints these jobs from accounting
SLURM_TIME_FORMAT=%s sacct -n -X -P -j "$2" -o "$1" || exit 44
