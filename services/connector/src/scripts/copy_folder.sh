# ROOT PLACE FROM TO: TO is as FROM is now. Links are copied as links; nothing is read through them.
stage "$1" "$2"
words=$(mkdir -- "$work/new" 2>&1) || say 44 "$words"
at "$1"
follow "$3"
copy_to "$work/new"
parent_of "$1" "$4"
place "$name"
