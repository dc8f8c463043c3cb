# ROOT PATH MAX; answers the folders below it, relative to it, a NUL after each
at "$1"
follow "$2"
find . -mindepth 1 -name '.*' -prune -o -type d -printf '%P\0' | LC_ALL=C sort -z | head -z -n "$3"
