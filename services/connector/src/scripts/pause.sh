# suspend|resume ID NAME COMMENT: suspends a running job, holds a pending one; or the reverse.
state_of() {
  message=$(scontrol show job -o "$1" 2>&1) || {
    case $message in
      *"Invalid job id"*) say 42 "Slurm no longer has job $1" ;;
      *) say 44 "$message" ;;
    esac
  }
  state=$(printf '%s\n' "$message" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | tail -n 1)
}
control() {
  message=$(scontrol "$1" "$2" 2>&1) && return 0
  case $message in
    *"ocket timed out"* | *"nable to contact"* | *"onnection"*) say 44 "$message" ;;
  esac
  say 42 "$message"
}
guard
whose "$2" "$3" "$4" || say 44 "$seen"
[ "$whose" = ours ] || say 42 "Slurm no longer has job $2"
state_of "$2"
case $1:$state in
  suspend:PENDING)
    control hold "$2"
    # the job may have started meanwhile: then a hold has no effect
    state_of "$2"
    [ "$state" = PENDING ] || control suspend "$2"
    ;;
  suspend:SUSPENDED | resume:RUNNING) ;;
  suspend:RUNNING | suspend:CONFIGURING) control suspend "$2" ;;
  resume:PENDING) control release "$2" ;;
  resume:SUSPENDED) control resume "$2" ;;
  *) say 42 "job $2 is in state $state" ;;
esac
