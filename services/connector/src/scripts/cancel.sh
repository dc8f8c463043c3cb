# ID. Ending what has ended is well.
words=$(scancel "$1" 2>&1) && exit 0
case $words in
  *"Invalid job id"* | *"already completing"* | *"already completed"* | *"already finished"*) exit 0 ;;
  *"ocket timed out"* | *"nable to contact"* | *"onnection"*) say 44 "$words" ;;
esac
say 42 "$words"
