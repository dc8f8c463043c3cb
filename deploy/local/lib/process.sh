# Sourced by the scripts of deploy/local: progress lines, waiting, starting and ending processes.
#
# A part lives in one folder, PART_DIR (set by use_part_dir). Each of its processes has a name; its log is
# PART_DIR/log/NAME.log, its id and start time are in PART_DIR/run/NAME.pid, its account and command in PART_DIR/run/NAME.command
# (deploy/local/process starts it again). Its environment carries
# CYBERGIS_PART=PART_DIR and its working folder is PART_DIR/run/cwd; children inherit both, and few programs drop both,
# so end_processes finds processes that a daemon left behind, also after an interrupted start.
# shellcheck shell=bash

CYBERGIS_CACHE=${CYBERGIS_CACHE:-/var/cache/cybergis-compute}
SAY_SINCE=${EPOCHREALTIME/[.,]/}
PART_DIR=

# say TEXT...: a progress line on stderr, with the seconds since the script began
say() {
  local us=$((${EPOCHREALTIME/[.,]/} - SAY_SINCE))
  printf '[local %d.%ds] %s\n' $((us / 1000000)) $((us % 1000000 / 100000)) "$*" >&2
}

fail() {
  say "error: $*"
  exit 1
}

# print_usage SCRIPT: the comment at the script's head
print_usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$1" >&2
  exit 2
}

need_root() { ((EUID == 0)) || fail "run this as root: it starts services under accounts of their own"; }

# need_commands GROUP COMMAND...: stops with the command that installs what is missing
need_commands() {
  local group=$1 command
  shift
  for command; do
    command -v "$command" >/dev/null || fail "$command is missing: run deploy/local/install $group"
  done
}

# use_part_dir DIR: creates the folder of a part; other accounts can pass through it, not list it.
# Stopping a part removes folders, so it rejects a folder with other contents.
use_part_dir() {
  umask 022
  mkdir -p "$1"
  PART_DIR=$(cd "$1" && pwd -P)
  [[ -d $PART_DIR/run/cwd || -z $(ls -A "$PART_DIR") ]] || fail "$PART_DIR is neither empty nor the folder of a part"
  mkdir -p "$PART_DIR/log" "$PART_DIR/run/cwd"
  open_path "$PART_DIR"
}

# open_path DIR: lets other accounts pass through DIR; opens temporary folders on the way, nothing else
open_path() {
  local dir=$1 temporary
  temporary=$(realpath "${TMPDIR:-/tmp}")
  chmod go+x "$dir"
  while dir=$(dirname "$dir") && [[ $dir != / ]]; do
    [[ $(stat -c %A "$dir") == *[xt] ]] && continue
    [[ $dir == /tmp/* || $dir == "$temporary"/* ]] || fail "$dir is closed to other accounts: choose a folder elsewhere"
    chmod go+x "$dir"
  done
}

# wait_for SECONDS NAME COMMAND...: polls COMMAND; fails with the end of the log if the process NAME ends or the time is over
wait_for() {
  local limit=$1 name=$2 pid
  local until=$((${EPOCHREALTIME/[.,]/} + limit * 1000000))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if read -r pid _ 2>/dev/null <"$PART_DIR/run/$name.pid" && [[ -z $(start_time "$pid") ]]; then show_log "$name"; fail "$name ended while starting"; fi
    if ((${EPOCHREALTIME/[.,]/} > until)); then show_log "$name"; fail "$name not ready in $limit s: $*"; fi
    sleep 0.02
  done
}

show_log() {
  say "the end of $PART_DIR/log/$1.log:"
  tail -n 20 "$PART_DIR/log/$1.log" >&2 || true
}

# begin_part: empties the logs; every process that the script starts from here on belongs to the part (end_processes ends it)
begin_part() {
  rm -f "$PART_DIR"/log/*
  export CYBERGIS_PART=$PART_DIR
}

# start_process NAME ACCOUNT COMMAND...: starts a foreground command in the background, detached from the caller
start_process() {
  local name=$1 account=$2 switch=()
  (umask 077 && printf '%s\0' "${@:2}" >"$PART_DIR/run/$name.command")
  shift 2
  [[ $account == root ]] || switch=(setpriv --reuid="$account" --regid="$account" --init-groups)
  CYBERGIS_PART=$PART_DIR env -C "$PART_DIR/run/cwd" setsid "${switch[@]}" "$@" </dev/null >>"$PART_DIR/log/$name.log" 2>&1 &
  echo "$! $(start_time $!)" >"$PART_DIR/run/$name.pid"
  disown
}

# start_time PID: when a living process began, in the kernel's ticks; nothing if it ended. With the id it is unique.
start_time() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  # shellcheck disable=SC2086 # the fields after the program's name
  set -- ${line##*) }
  [[ $1 == Z ]] || echo "${20}"
}

# process_ids [ACCOUNT...]: the ids of the part's processes and of all processes of those accounts, without zombies
process_ids() {
  local file account alive=D,I,R,S,T,t pid started
  for file in /proc/[0-9]*; do [[ ! $file/cwd -ef $PART_DIR/run/cwd ]] || echo "${file#/proc/}"; done
  grep -lszxF "CYBERGIS_PART=$PART_DIR" /proc/[0-9]*/environ | while IFS=/ read -r _ _ file _; do echo "$file"; done
  for account; do pgrep -r "$alive" -U "$account" || true; done
  for file in "$PART_DIR"/run/*.pid; do
    read -r pid started 2>/dev/null <"$file" || continue
    [[ $started && $(start_time "$pid") == "$started" ]] || continue
    echo "$pid"
    pgrep -r "$alive" -P "$pid" || true
  done
}

# end_processes [ACCOUNT...]: kills these processes and returns when all have ended
end_processes() {
  local until=$((SECONDS + 10)) ids
  while ids=$(process_ids "$@") && [[ $ids ]]; do
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $ids 2>/dev/null || true
    ((SECONDS < until)) || fail "still running after 10 s: ${ids//$'\n'/ }"
    sleep 0.02
  done
  rm -f "$PART_DIR"/run/*.{pid,command}
}

# secret: 32 random letters and digits
secret() {
  local text
  text=$(head -c 400 /dev/urandom | LC_ALL=C tr -dc 'a-zA-Z0-9')
  echo "${text:0:32}"
}

# write_facts KEY VALUE...: writes facts.json in one step, readable by the caller only: PORT as a number, an empty VALUE as null,
# a VALUE that begins with { as JSON
write_facts() {
  jq -n '[$ARGS.positional | _nwise(2) | {(.[0]): (.[1] | if . == "" then null elif startswith("{") then fromjson else . end)}] | add | .port |= tonumber' \
    --args "$@" >"$PART_DIR/facts.json.new"
  chmod 600 "$PART_DIR/facts.json.new"
  mv "$PART_DIR/facts.json.new" "$PART_DIR/facts.json"
}

# fact KEY: one value of the part's facts.json
fact() { jq -er --arg key "$1" '.[$key]' "$PART_DIR/facts.json" || fail "$PART_DIR is not up"; }

# make_socket_dir: prints a new folder with a short path (a Unix socket's path has at most 107 letters), noted in PART_DIR
make_socket_dir() {
  local dir
  dir=$(mktemp -d /tmp/cgc.XXXXXX)
  chmod 755 "$dir"
  echo "$dir" >>"$PART_DIR/run/socket-dirs"
  echo "$dir"
}

remove_socket_dirs() {
  local dir
  [[ -e $PART_DIR/run/socket-dirs ]] || return 0
  while read -r dir; do [[ $dir != /tmp/cgc.* ]] || rm -rf "$dir"; done <"$PART_DIR/run/socket-dirs"
  rm -f "$PART_DIR/run/socket-dirs"
}
