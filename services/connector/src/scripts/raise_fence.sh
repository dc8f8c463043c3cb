# No arguments: stores the fence of the caller
[ -n "$fence" ] || say 42 "the request has no fence"
guard
