# ROOT PLACE PATH MOST; the tar stream is the input. It is unpacked in our own place and then put there at once; what is in the
# folder already and not in the stream stays, if it is no more than MOST bytes.
stage "$1" "$2"
words=$({ mkdir -- "$work/new" && tar -x -f - --no-same-owner -C "$work/new"; } 2>&1) || say 44 "$words"
parent_of "$1" "$3"
if [ -e "./$name" ] || [ -L "./$name" ]; then
  into "$name"
  copy_to "$work/new" "$4" --skip-old-files
  parent_of "$1" "$3"
fi
place "$name"
