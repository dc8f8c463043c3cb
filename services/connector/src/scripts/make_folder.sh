# ROOT TOP PATH
inside "$@"
words=$(mkdir -p -- "$3" 2>&1) || say 44 "$words"
