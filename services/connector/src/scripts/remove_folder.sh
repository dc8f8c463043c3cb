# ROOT TOP PATH
parent=${3%/*}
if [ "$parent" != "$1" ]; then inside "$1" "$2" "$parent"; fi
if [ ! -e "$3" ] && [ ! -L "$3" ]; then exit 0; fi
rm -rf -- "$3" 2>/dev/null && exit 0
# programs may leave folders that nobody may write to
chmod -R u+rwX -- "$3" 2>/dev/null
words=$(rm -rf -- "$3" 2>&1) || say 44 "cannot remove $3: $words"
