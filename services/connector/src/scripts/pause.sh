# suspend|resume ID NAME COMMENT. A running job is suspended, a pending one held; likewise back.
state_of() {
  words=$(scontrol show job -o "$1" 2>&1) || {
    case $words in
      *"Invalid job id"*) say 42 "Slurm does not know job $1 any more" ;;
      *) say 44 "$words" ;;
    esac
  }
  state=$(printf '%s\n' "$words" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | tail -n 1)
}
control() {
  words=$(scontrol "$1" "$2" 2>&1) && return 0
  case $words in
    *"ocket timed out"* | *"nable to contact"* | *"onnection"*) say 44 "$words" ;;
  esac
  say 42 "$words"
}
whose "$2" "$3" "$4" || say 44 "$seen"
[ "$whose" = ours ] || say 42 "Slurm does not know job $2 any more"
state_of "$2"
case $1:$state in
  suspend:PENDING)
    control hold "$2"
    # it may have started meanwhile, and then holding has no effect
    state_of "$2"
    [ "$state" = PENDING ] || control suspend "$2"
    ;;
  suspend:SUSPENDED | resume:RUNNING) ;;
  suspend:RUNNING | suspend:CONFIGURING) control suspend "$2" ;;
  resume:PENDING) control release "$2" ;;
  resume:SUSPENDED) control resume "$2" ;;
  *) say 42 "Slurm has job $2 as $state" ;;
esac
