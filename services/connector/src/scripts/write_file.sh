# ROOT TOP PATH SIZE; the content is the input. Whole or not at all: what is cut does not have its size.
inside "$@"
[ ! -d "$3" ] || say 42 "$3 is a folder"
part=$3.part-$mark
words=$({ mkdir -p -- "${3%/*}" && cat >"$part" && [ "$(stat -c %s -- "$part")" = "$4" ] && mv -fT -- "$part" "$3"; } 2>&1) || {
  rm -f -- "$part"
  say 44 "cannot write $3: ${words:-its content was cut}"
}
