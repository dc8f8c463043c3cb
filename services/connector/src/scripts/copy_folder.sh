# ROOT PLACE FROM TO MOST: replaces TO by a copy of FROM, of at most MOST bytes. Reads nothing through a link. Does not copy
# the files of an earlier job, special files, and links that lead out of the folder.
begin_transfer "$mark"
stage "$1" "$2"
message=$(mkdir -- "$work/new" 2>&1) || say 44 "$message"
at "$1"
follow "$3"
copy_to "$work/new" "$5" --exclude='./.cgc-*' --exclude=./job.sbatch --exclude=./job.json --exclude=./job.env
export top="$work/new"
find "$top" ! -type f ! -type d ! -type l -exec rm -f -- {} +
find "$top" -type l -exec sh -c '
  for link; do
    case $(readlink -- "$link") in
      /*) rm -f -- "$link" ;;
      *) case $(realpath -m -- "$link") in "$top"/*) ;; *) rm -f -- "$link" ;; esac ;;
    esac
  done' links {} +
complete_transfer "$mark"
parent_of "$1" "$4"
place "$name"
