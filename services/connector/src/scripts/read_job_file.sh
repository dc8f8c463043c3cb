# ROOT PLACE JOB NAME OFFSET MAX: prints the size of the file on one line, then the bytes
ours "$1" "$2"
cd -- "jobs/$3" 2>/dev/null || exit 40
[ -f "$4" ] || exit 40
size=$(stat -c %s -- "$4") || exit 44
printf '%s\n' "$size"
[ "$5" -ge "$size" ] || tail -c "+$(($5 + 1))" -- "$4" | head -c "$6"
