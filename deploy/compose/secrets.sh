# Sourced by new-site and local-site: secrets in the folder $site/secrets. Existing files are kept. Containers of several
# accounts read them, so they are readable by all; the site itself is accessible to root only.
# shellcheck shell=bash

# keep NAME COMMAND...: stores the output of the command
keep() {
  local file=$site/secrets/$1
  shift
  [[ -s $file ]] || { "$@" >"$file.new" && chmod 444 "$file.new" && mv "$file.new" "$file"; }
}

# keypair NAME: an SSH key, NAME and NAME.pub
keypair() {
  [[ -s $site/secrets/$1 ]] || ssh-keygen -q -t ed25519 -N '' -C "cybergis-compute $1" -f "$site/secrets/$1"
  chmod 444 "$site/secrets/$1" "$site/secrets/$1.pub"
}
