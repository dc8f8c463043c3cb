# Put before each script. The first argument is a word that nobody can guess: the answer stands between two lines that
# hold it, so that banners and other noise of login shells are never taken for an answer.
#
# Exit codes that mean something to the connector, with words in the answer where they help:
#   40 there is no such file or folder   41 a link is in the way   42 refused
#   43 it is not known whether it was done   44 the HPC is in trouble
#
# Users' programs write to the folders below the root path while scripts read them. So a script goes down to a folder one
# component after the other and uses what it has reached: the kernel says where that is, whatever has been renamed or
# replaced by a link meanwhile. Names are used only relative to the folder that was reached (`./name`), by tools that do
# not follow links.
mark=$1
shift
unset CDPATH TAR_OPTIONS POSIXLY_CORRECT
work=''
tidy() {
  [ -z "$work" ] || rm -rf -- "$work" 2>/dev/null || { chmod -R u+rwX -- "$work" && rm -rf -- "$work"; } 2>/dev/null
}
trap 'code=$?; tidy; printf "\n%s end %s\n" "$mark" "$code"' EXIT
printf '\n%s begin\n' "$mark"

# Tools may repeat names of users' files, which can be long.
say() { code=$1; shift; printf '%.3000s\n' "$*"; exit "$code"; }

# trouble WORDS: what a program did to its own folder is refused (42); a full disk or an unwritable root path is the HPC's (44)
trouble() {
  case $1 in
    *"o space left"* | *"uota exceeded"* | *"ead-only file system"*) ;;
    *) [ "$here" = "$root" ] || say 42 "$1" ;;
  esac
  say 44 "$1"
}

# at ROOT: goes to the root path. Links that lead to it are the site's own.
at() { cd -- "$1" 2>/dev/null && here=$(env pwd -P) && root=$here || say 44 "the root path $1 is not there or may not be entered"; }

# into NAME: goes down into a folder, and through no link
into() {
  [ ! -L "./$1" ] || exit 41
  cd -- "./$1" 2>/dev/null || {
    [ -e "./$1" ] || exit 40
    [ -d "./$1" ] || say 42 "$1 is not a folder"
    say 42 "the folder $1 may not be entered"
  }
  here=${here%/}/$1
  [ "$(env pwd -P)" = "$here" ] || exit 41
}

# follow PATH: goes down to it, component by component
follow() {
  rest=$1/
  while [ -n "$rest" ]; do
    into "${rest%%/*}"
    rest=${rest#*/}
  done
}

# make PATH: the same, making what is not there
make() {
  rest=$1/
  while [ -n "$rest" ]; do
    [ -e "./${rest%%/*}" ] || words=$(mkdir -- "./${rest%%/*}" 2>&1) || [ -e "./${rest%%/*}" ] || trouble "$words"
    into "${rest%%/*}"
    rest=${rest#*/}
  done
}

# parent_of ROOT PATH: goes to the folder that holds PATH, making it; `name` is the last component
parent_of() {
  at "$1"
  name=${2##*/}
  case $2 in */*) make "${2%/*}" ;; esac
}

# ours ROOT PLACE: goes to the private place of the account, which no container sees; makes it if it is not there
ours() {
  at "$1"
  [ -d "./$2" ] || words=$(mkdir -m 700 -- "./$2" 2>&1) || [ -d "./$2" ] || say 44 "$words"
  into "$2"
  [ -O . ] || say 44 "$here belongs to another account: have it removed, or set another root path"
  case $(stat -c %a .) in
    700 | ?700) ;;
    *) words=$(chmod 700 . 2>&1) || say 44 "$words" ;;
  esac
}

# stage ROOT PLACE: makes a folder in the private place, `work`, which is removed at the end
stage() {
  ours "$1" "$2"
  words=$({ mkdir -p staging && mkdir -m 700 -- "staging/$mark"; } 2>&1) || say 44 "$words"
  work=$here/staging/$mark
  # what scripts that were killed have left
  find staging -mindepth 1 -maxdepth 1 -mmin +1440 -exec chmod -R u+rwX {} + -exec rm -rf {} + 2>/dev/null
  trap 'exit 143' TERM HUP # else some shells leave it behind
}

# place NAME: puts $work/new here as NAME, instead of what has that name. That is renamed where it is, since a program may have
# left a folder that cannot be moved elsewhere.
place() {
  [ ! -d "$work/new" ] || chmod u+rwx -- "$work/new"
  mv -fT -- "$work/new" "./$1" 2>/dev/null && return
  mv -fT -- "./$1" "./.replaced-$mark" 2>/dev/null
  words=$(mv -fT -- "$work/new" "./$1" 2>&1) || trouble "cannot write $here/$1: $words"
  rm -rf -- "./.replaced-$mark" 2>/dev/null
}

too_large() { say 42 "$here is too large to be copied: the limit is $((most >> 20)) MiB"; }

# copy_to FOLDER MOST [OPTION...]: copies what is here into FOLDER, links as links; refused if it is more than MOST bytes, of
# which a file without content takes 512. Options are for both tars.
copy_to() {
  folder=$1 most=$2
  shift 2
  # before anything is written; what grows meanwhile is cut below
  find . -xdev -type f -printf '%s\n' 2>/dev/null | awk -v most="$most" '{ sum += $1 + 512 } END { exit sum > most }' || too_large
  {
    tar -c --one-file-system "$@" -f - . 2>"$work/errors"
    printf '%s\n' "$?" >"$work/status"
  } | head -c "$most" |
    tar -x --no-same-owner "$@" -f - -C "$folder" 2>>"$work/errors" && read -r status <"$work/status" &&
    case $status in 0 | 1) return ;; esac
  ! grep -q 'nexpected EOF' "$work/errors" || too_large
  trouble "cannot copy $here: $(head -c 500 "$work/errors")"
}
