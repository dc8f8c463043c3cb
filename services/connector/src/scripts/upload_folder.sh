# ROOT PLACE PATH MOST TOKEN: unpacks the tar stream of the input in the private folder, where finish_upload.sh finds it by
# TOKEN. Files that are in PATH and not in the stream stay, if they have at most MOST bytes.
begin_transfer "$5"
stage "$1" "$2" "$5"
message=$({ mkdir -- "$work/new" && tar -x -f - --no-same-owner -C "$work/new"; } 2>&1) || say 44 "$message"
parent_of "$1" "$3"
if [ -e "./$name" ] || [ -L "./$name" ]; then
  into "$name"
  copy_to "$work/new" "$4" --skip-old-files
fi
work='' # stays
