#!/bin/bash
set -euo pipefail
[[ ${1:-} == redis-server && $(id -u) == 0 ]] || exec "$@"
find . \! -user redis -exec chown redis '{}' +
exec setpriv --reuid=redis --regid=redis --clear-groups "$@"
