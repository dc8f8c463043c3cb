# Sourced by new-site and local-site: secrets in the folder $site/secrets. What is there already stays. Containers of several
# accounts read them, so they may be read by all; the site around them is open to root only.
# shellcheck shell=bash

# keep NAME COMMAND...: what the command prints
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
