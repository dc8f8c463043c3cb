# ROOT PATH: checks that PATH is a folder and that no link is on the path to it
at "$1"
follow "$2"
