# ROOT PLACE PATH SIZE: writes the input to PATH, completely or not at all. An input that was cut does not have this size.
before=$(submissions)
stage "$1" "$2"
message=$({ cat >"$work/new" && [ "$(stat -c %s -- "$work/new")" = "$4" ]; } 2>&1) ||
  say 44 "cannot write $3: ${message:-its content was cut}"
guard_file "$before"
parent_of "$1" "$3"
[ -L "./$name" ] || [ ! -d "./$name" ] || say 42 "$3 is a folder"
place "$name"
