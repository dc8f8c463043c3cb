# ROOT TOP PATH MAX; answers the folders below it, relative to it, a NUL after each
inside "$@"
[ -e "$real" ] || exit 40
[ -d "$real" ] || say 42 "$3 is not a folder"
find "$real" -mindepth 1 -name '.*' -prune -o -type d -printf '%P\0' | LC_ALL=C sort -z | head -z -n "$4"
