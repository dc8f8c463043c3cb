# ROOT PATH: PATH is a folder, and no link is on the way to it
at "$1"
follow "$2"
