# ROOT TOP PATH: PATH is a folder, and no link is on the way to it from ROOT. Each step begins in the folder that the
# one before has reached, and is looked at once it is taken: a link that is put there meanwhile is seen as well.
cd -P -- "$1" 2>/dev/null || say 44 "the root path $1 is not there"
here=$(pwd -P)
set -f
IFS=/
for part in ${3#"${1%/}/"}; do
  [ ! -L "./$part" ] || exit 41
  [ -e "./$part" ] || exit 40
  [ -d "./$part" ] || say 42 "$3 is not a folder"
  cd -P -- "./$part" 2>/dev/null || say 42 "$3 may not be opened"
  here=${here%/}/$part
  [ "$(pwd -P)" = "$here" ] || exit 41
done
