# ROOT TOP PATH FOLDERS BYTES DEPTH SECONDS; answers the folders below it, relative to it, a NUL after each, in the order of
# the walk, which ends at any of the limits; an empty one after it if it took too long
inside "$@"
[ -e "$real" ] || exit 40
[ -d "$real" ] || say 42 "$3 is not a folder"
{
  timeout "$7" find "$real" -mindepth 1 -maxdepth "$6" -name '.*' -prune -o -type d -printf '%P\0' 2>/dev/null
  [ "$?" != 124 ] || printf '\0\0'
} | head -z -n "$4" | head -c "$5"
