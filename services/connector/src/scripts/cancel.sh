# ID NAME COMMENT. Ending what has ended succeeds; a job that is another one by now is left alone.
whose "$1" "$2" "$3" || say 44 "$seen"
[ "$whose" = ours ] || exit 0
words=$(scancel "$1" 2>&1) && exit 0
case $words in
  *"Invalid job id"* | *"already completing"* | *"already completed"* | *"already finished"*) exit 0 ;;
  *"ocket timed out"* | *"nable to contact"* | *"onnection"*) say 44 "$words" ;;
esac
say 42 "$words"
