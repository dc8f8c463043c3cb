# The beginning of each script. The first argument is a random word. The reply is between two lines with this word, so
# banners and other output of login shells are never taken for a reply. The next four are the fence of the caller
# (fence.sh), or empty.
#
# Exit codes with a meaning for the connector, some with a message in the reply:
#   40 the file or folder does not exist   41 a link is on the path   42 rejected
#   43 it is unknown whether it was done   44 the HPC does not work properly
#   45 a caller with a newer fence, which is the message, was here before
#
# Programs of users write to the folders below the root path while scripts read them. So a script enters a folder one
# component at a time and works in the folder that it has reached. The kernel tells its path, whatever has been renamed or
# replaced by a link meanwhile. Names are used only relative to this folder (`./name`), by tools that do not follow links.
mark=$1 fence=$2 fence_job=$3 fence_root=$4 fence_place=$5
shift 5
unset CDPATH TAR_OPTIONS POSIXLY_CORRECT
work=''
tidy() {
  [ -z "$work" ] || rm -rf -- "$work" 2>/dev/null || { chmod -R u+rwX -- "$work" && rm -rf -- "$work"; } 2>/dev/null
}
trap 'code=$?; tidy; printf "\n%s end %s\n" "$mark" "$code"' EXIT
printf '\n%s begin\n' "$mark"

# Messages of tools may contain names of files, which can be long.
say() { code=$1; shift; printf '%.3000s\n' "$*"; exit "$code"; }

# ends MESSAGE REASONS: whether a line of MESSAGE, of a tool under LC_ALL=C, ends with one of these reasons. Names of files come
# before the reason, so no name is taken for one.
ends() { printf '%s\n' "$1" | grep -qE ": ($2)\$"; }

# trouble MESSAGE: exits with 42 for what a program can cause in its own folder, and with 44 otherwise: a full disk, a file
# server that does not respond, a root path that cannot be written to are faults of the HPC
trouble() {
  [ "$here" = "$root" ] || case $1 in
    *": cannot overwrite "*" directory "*) say 42 "$1" ;;
    *) ! ends "$1" "Permission denied|Operation not permitted|Not a directory|Is a directory|Directory not empty|File exists|File name too long|Too many links|Too many levels of symbolic links" || say 42 "$1" ;;
  esac
  say 44 "$1"
}

# at ROOT: enters the root path. Links on the path to it belong to the site.
at() { cd -- "$1" 2>/dev/null && here=$(env pwd -P) && root=$here || say 44 "the root path $1 does not exist or cannot be entered"; }

# into NAME: enters a folder, but not through a link
into() {
  [ ! -L "./$1" ] || exit 41
  cd -- "./$1" 2>/dev/null || {
    message=$(LC_ALL=C stat -- "./$1" 2>&1 >/dev/null) || {
      ! ends "$message" "No such file or directory" || exit 40
      trouble "$message"
    }
    [ -d "./$1" ] || say 42 "$1 is not a folder"
    say 42 "the folder $1 cannot be entered"
  }
  here=${here%/}/$1
  [ "$(env pwd -P)" = "$here" ] || exit 41
}

# follow PATH: enters PATH, component by component
follow() {
  rest=$1/
  while [ -n "$rest" ]; do
    into "${rest%%/*}"
    rest=${rest#*/}
  done
}

# make PATH: enters PATH, and creates missing folders
make() {
  rest=$1/
  while [ -n "$rest" ]; do
    [ -e "./${rest%%/*}" ] || message=$(LC_ALL=C mkdir -- "./${rest%%/*}" 2>&1) || [ -e "./${rest%%/*}" ] || trouble "$message"
    into "${rest%%/*}"
    rest=${rest#*/}
  done
}

# parent_of ROOT PATH: enters the parent of PATH, and creates it; sets `name` to the last component
parent_of() {
  at "$1"
  name=${2##*/}
  case $2 in */*) make "${2%/*}" ;; esac
}

# ours ROOT PLACE: enters the private folder of the account, which no container can see; creates it if it does not exist
ours() {
  at "$1"
  [ -d "./$2" ] || message=$(mkdir -m 700 -- "./$2" 2>&1) || [ -d "./$2" ] || say 44 "$message"
  into "$2"
  [ -O . ] || say 44 "$here belongs to another account: have it removed, or set another root path"
  case $(stat -c %a .) in
    700 | ?700) ;;
    *) message=$(chmod 700 . 2>&1) || say 44 "$message" ;;
  esac
}

# stage ROOT PLACE [NAME]: creates a folder in the private folder, `work`, which is removed at the end
stage() {
  ours "$1" "$2"
  message=$({ mkdir -p staging && mkdir -m 700 -- "staging/${3:-$mark}"; } 2>&1) || say 44 "$message"
  work=$here/staging/${3:-$mark}
  # left by killed scripts
  find staging -mindepth 1 -maxdepth 1 -mmin +1440 -exec chmod -R u+rwX {} + -exec rm -rf {} + 2>/dev/null
  trap 'exit 143' TERM HUP # else some shells do not remove it
}

# place NAME: renames $work/new to NAME in this folder, and replaces what has that name. The latter is first renamed within
# this folder, since a program may have left a folder that cannot be moved elsewhere.
place() {
  [ ! -d "$work/new" ] || chmod u+rwx -- "$work/new"
  mv -fT -- "$work/new" "./$1" 2>/dev/null && return
  mv -fT -- "./$1" "./.replaced-$mark" 2>/dev/null
  message=$(LC_ALL=C mv -fT -- "$work/new" "./$1" 2>&1) || trouble "cannot write $here/$1: $message"
  rm -rf -- "./.replaced-$mark" 2>/dev/null
}

too_large() { say 42 "$here is too large to be copied: the limit is $((most >> 20)) MiB"; }

# copy_to FOLDER MOST [OPTION...]: copies the content of this folder to FOLDER, links as links. Rejects more than MOST bytes; an
# empty file counts as 512. Options are for both tars.
copy_to() {
  folder=$1 most=$2
  shift 2
  # before anything is written; what grows meanwhile is cut below
  find . -xdev -type f -printf '%s\n' 2>/dev/null | awk -v most="$most" '{ sum += $1 + 512 } END { exit sum > most }' || too_large
  {
    LC_ALL=C tar -c --one-file-system "$@" -f - . 2>"$work/errors"
    printf '%s\n' "$?" >"$work/status"
  } | {
    head -c "$most" && [ "$(head -c 1 | wc -c)" -gt 0 ] && : >"$work/cut"
  } | LC_ALL=C tar -x --no-same-owner "$@" -f - -C "$folder" 2>>"$work/errors" && [ ! -e "$work/cut" ] &&
    read -r status <"$work/status" && case $status in 0 | 1) return ;; esac
  message=$(head -c 500 "$work/errors")
  # of the file systems, not of the content
  ! grep -qE ": Wrote only [0-9]+ of [0-9]+ bytes\$|: (No space left on device|Disk quota exceeded|Read-only file system|Input/output error|Remote I/O error|Stale file handle|Connection timed out|Host is down|Cannot allocate memory|Transport endpoint is not connected|Cannot send after transport endpoint shutdown)\$" "$work/errors" || say 44 "cannot copy $here: $message"
  [ ! -e "$work/cut" ] || too_large
  say 42 "cannot copy $here: $message"
}
