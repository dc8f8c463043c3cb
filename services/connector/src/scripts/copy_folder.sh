# ROOT TOP FROM ROOT TOP TO. What is made is made beside TO, where no program sees it, and then moved there: TO is whole, or
# is not there.
inside "$1" "$2" "$3"
[ -e "$real" ] || exit 40
[ -d "$real" ] || say 42 "$3 is not a folder"
from=$real
inside "$4" "$5" "$6"
[ ! -e "$6" ] || exit 0
cd -- "$from" 2>/dev/null || say 42 "$3 may not be read"
[ "$(pwd -P)" = "$from" ] || exit 41

part=$6.part-$mark
trap 'code=$?; rm -rf -- "$part"; printf "\n%s end %s\n" "$mark" "$code"' EXIT
mkdir -m 700 -- "$part" || say 44 "cannot make $part"
top=$(cd -- "$part" && pwd -P) || say 44 "cannot enter $part"
export top

# tar follows no link on its way down, also not one that is changed meanwhile. What an earlier run has left of ours stays
# behind. The answers of both ends: a space stands before that of the second.
ends=$(
  {
    {
      tar -c -f - --exclude='./.cgc-*' --exclude=./job.sbatch --exclude=./job.json --exclude=./job.env . 2>/dev/null
      printf '%s' "$?" >&3
    } | tar -x -f - --no-same-owner -C "$top" >/dev/null 2>&1 || printf ' %s' "$?" >&3
  } 3>&1
)
case $ends in
  0 | 1) ;; # 1: a file changed meanwhile
  *' '*) say 44 "cannot write to $part" ;;
  *) say 42 "$3 cannot be read as a whole" ;;
esac

find "$top" ! -type f ! -type d ! -type l -exec rm -f -- {} +
find "$top" -type l -exec sh -c '
  for link; do
    case $(readlink -- "$link") in
      /*) rm -f -- "$link" ;;
      *) case $(realpath -m -- "$link") in "$top"/*) ;; *) rm -f -- "$link" ;; esac ;;
    esac
  done' links {} +
mv -T -- "$part" "$6" || say 44 "cannot make $6"
