# ROOT PATH OFFSET MAX: prints the size of the file on one line, then the bytes
at "$1"
case $2 in */*) follow "${2%/*}" ;; esac
name=${2##*/}
[ ! -L "./$name" ] || exit 41
[ -e "./$name" ] || exit 40
[ -f "./$name" ] || say 42 "$2 is not a file"
[ -r "./$name" ] || say 42 "$2 is not readable"
size=$(stat -c %s -- "./$name") || exit 40
printf '%s\n' "$size"
# If it has been replaced meanwhile, opening it fails and does not block.
[ "$3" -ge "$size" ] || dd "if=./$name" bs=65536 skip="$3" count="$4" \
  iflag=nofollow,nonblock,fullblock,skip_bytes,count_bytes 2>/dev/null || say 42 "$2 cannot be read"
