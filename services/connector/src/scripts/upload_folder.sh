# ROOT TOP PATH; the tar stream is the input
inside "$@"
words=$(mkdir -p -- "$3" 2>&1) || say 44 "$words"
words=$(tar -x -f - --no-same-owner -C "$real" 2>&1) || say 44 "$words"
