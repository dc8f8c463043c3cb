# ROOT PLACE PATH MOST: unpacks the tar stream of the input in the private folder, and then renames it to PATH. Files that are
# in PATH and not in the stream stay, if they have at most MOST bytes.
stage "$1" "$2"
message=$({ mkdir -- "$work/new" && tar -x -f - --no-same-owner -C "$work/new"; } 2>&1) || say 44 "$message"
parent_of "$1" "$3"
if [ -e "./$name" ] || [ -L "./$name" ]; then
  into "$name"
  copy_to "$work/new" "$4" --skip-old-files
  parent_of "$1" "$3"
fi
place "$name"
