# ROOT PLACE PATH SIZE; the content is the input. Whole or not at all: what is cut does not have its size.
stage "$1" "$2"
words=$({ cat >"$work/new" && [ "$(stat -c %s -- "$work/new")" = "$4" ]; } 2>&1) ||
  say 44 "cannot write $3: ${words:-its content was cut}"
parent_of "$1" "$3"
[ -L "./$name" ] || [ ! -d "./$name" ] || say 42 "$3 is a folder"
place "$name"
