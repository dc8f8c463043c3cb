# Put before each script. The first argument is a word that nobody can guess: the answer stands between two lines that
# hold it, so that banners and other noise of login shells are never taken for an answer.
#
# Exit codes that mean something to the connector, with words in the answer where they help:
#   40 there is no such file or folder   41 a link leads out of the folder   42 refused
#   43 it is not known whether it was done   44 the HPC is in trouble
mark=$1
shift
trap 'printf "\n%s end %s\n" "$mark" "$?"' EXIT
printf '\n%s begin\n' "$mark"

say() { code=$1; shift; printf '%s\n' "$*"; exit "$code"; }

# inside ROOT TOP PATH: PATH, its links resolved, is ROOT/TOP or below it. Sets `real`.
inside() {
  base=$(realpath -e -- "$1" 2>&1) || say 44 "the root path $1 is not there: $base"
  real=$(realpath -m -- "$3") || exit 41
  case $real/ in "${base%/}/$2/"*) ;; *) exit 41 ;; esac
}

