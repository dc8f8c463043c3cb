# whose ID NAME COMMENT: sets `whose` to `ours` if Slurm's job ID has that name and comment, to `other`, or to `unknown` if
# Slurm does not have it in memory. Fails, with Slurm's message in `seen`, if Slurm cannot be queried.
whose() {
  seen=$(squeue --me -h -t all -j "$1" -o '%i|%j|%k' 2>&1) || {
    case $seen in *"nvalid job id"*) whose=unknown && return 0 ;; esac
    return 1
  }
  case $(printf '%s\n' "$seen" | sed -n "/^$1|/p") in
    "$1|$2|$3" | "$1|$2|" | "$1|$2|(null)") whose=ours ;;
    '') whose=unknown ;;
    *) whose=other ;;
  esac
}
