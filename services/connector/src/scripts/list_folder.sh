# ROOT PATH FOLDERS BYTES DEPTH SECONDS: prints the folders below PATH, relative to it, each followed by NUL, in the order of
# the walk, which ends at any of the limits; then an empty one if it took too long
at "$1"
follow "$2"
{
  timeout "$6" find . -mindepth 1 -maxdepth "$5" -name '.*' -prune -o -type d -printf '%P\0' 2>/dev/null
  [ "$?" != 124 ] || printf '\0\0'
} | head -z -n "$3" | head -c "$4"
