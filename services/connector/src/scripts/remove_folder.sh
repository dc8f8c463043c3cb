# ROOT PATH: removes PATH and its content
at "$1"
case $2 in
  */*)
    (follow "${2%/*}") >/dev/null 2>&1
    [ $? != 40 ] || exit 0
    follow "${2%/*}"
    ;;
esac
name=${2##*/}
rm -rf -- "./$name" 2>/dev/null && exit 0
# programs may leave folders without write permission
[ -L "./$name" ] || (chmod u+rwx -- "./$name" && into "$name" && chmod -R u+rwX .) >/dev/null 2>&1
message=$(rm -rf -- "./$name" 2>&1) || say 44 "cannot remove $2: $message"
