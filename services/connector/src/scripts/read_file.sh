# ROOT TOP PATH OFFSET MAX; answers the file's size on one line, then the bytes
inside "$@"
[ -e "$real" ] || exit 40
[ -f "$real" ] || say 42 "$3 is not a file"
[ -r "$real" ] || say 42 "$3 may not be read"
size=$(stat -c %s -- "$real") || exit 44
printf '%s\n' "$size"
[ "$4" -ge "$size" ] || tail -c "+$(($4 + 1))" -- "$real" | head -c "$5"
