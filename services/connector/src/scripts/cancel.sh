# ID NAME COMMENT: cancels the job. Succeeds if it has ended, or if the id belongs to another job by now.
guard
whose "$1" "$2" "$3" || say 44 "$seen"
[ "$whose" = ours ] || exit 0
message=$(scancel --user="$(id -un)" --name="$2" "$1" 2>&1) && exit 0
case $message in
  *"Invalid job id"* | *"already completing"* | *"already completed"* | *"already finished"*) exit 0 ;;
  *"ocket timed out"* | *"nable to contact"* | *"onnection"*) say 44 "$message" ;;
esac
say 42 "$message"
