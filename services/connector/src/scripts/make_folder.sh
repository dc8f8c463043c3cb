# ROOT PATH
at "$1"
make "$2"
