# COLUMNS: prints all jobs of the account that Slurm has in memory
SLURM_TIME_FORMAT=%s squeue --me -h -t all -O "$1" || exit 44
