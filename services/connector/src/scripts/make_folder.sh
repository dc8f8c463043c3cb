# ROOT PATH: creates PATH and its parents
guard
at "$1"
make "$2"
