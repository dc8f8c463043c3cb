# ROOT PLACE PATH TOKEN HOW: renames the folder that upload_folder.sh has unpacked to PATH. If HOW is `discard`, removes it.
ours "$1" "$2"
cd -- "staging/$4" 2>/dev/null || say 43 "the unpacked files are gone"
work=$here/staging/$4
[ "$5" != discard ] || exit 0
complete_transfer "$4"
parent_of "$1" "$3"
place "$name"
