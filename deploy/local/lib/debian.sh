# Sourced by scripts that install or unpack Debian.
# shellcheck shell=bash

# debian_mirror: prints the mirror that this machine uses
# shellcheck disable=SC2016 # apt's own placeholder
debian_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep debian | grep -v security | head -n 1; }
