# ROOT PATH: creates PATH and its parents
at "$1"
make "$2"
