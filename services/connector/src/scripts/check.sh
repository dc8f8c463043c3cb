# ROOT RUNTIME: checks the HPC. Prints one line for each check: `SUBJECT|ok or no|DETAIL`.
found() { printf '%s|%s|%s\n' "$1" "$2" "$(printf '%s' "$3" | tr '\n|' '  ')"; }

found login ok "$(id -un) on $(uname -n)"

if version=$(sbatch --version 2>&1); then
  if message=$(squeue --me -h -o %i 2>&1); then found scheduler ok "$version"
  else found scheduler no "$version is there, but squeue fails: $message"; fi
  if message=$(sacct -n -X -P -S now-1minutes -o JobIDRaw 2>&1); then found accounting ok "sacct answers"
  else
    case $message in
      *"accounting storage is disabled"*)
        found accounting ok "the site keeps no accounting: ends of jobs come from squeue and their exit code files; usage is not available" ;;
      *) found accounting no "sacct fails: $message" ;;
    esac
  fi
else
  found scheduler no "sbatch is not found, neither on the PATH of a plain command nor of a login shell: set PATH and SLURM_CONF in the account's ~/.bash_profile"
fi

case $2 in
  apptainer)
    if version=$(apptainer --version 2>/dev/null) || version=$(singularity --version 2>/dev/null); then
      found "container runtime" ok "$version"
    else
      found "container runtime" no "neither apptainer nor singularity is on the PATH of the login node: if it comes from a module, load that in init_sbatch_script"
    fi ;;
  charliecloud)
    if version=$(ch-run --version 2>&1); then found "container runtime" ok "ch-run $version"
    else found "container runtime" no "ch-run is not on the PATH of the login node: if it comes from a module, load that in init_sbatch_script"; fi ;;
  *) found "container runtime" ok "not used: jobs run as the account itself" ;;
esac

probe=$1/.cgc-check-$mark
if [ ! -d "$1" ]; then found "root path" no "$1 is not a folder: create it, or correct root_path"
elif ! message=$({ mkdir -- "$probe" && printf x >"$probe/x"; } 2>&1); then found "root path" no "cannot write to $1: $message"
elif ! message=$(dd if="$probe/x" of=/dev/null iflag=nofollow,nonblock,fullblock,skip_bytes,count_bytes count=1 2>&1); then
  found "root path" no "files of users cannot be read safely: dd of this login node has no iflag=nofollow ($message)"
elif ! message=$({ exec 9>"$probe/lock" && flock -n 9; } 2>&1); then
  found "root path" no "$1 is on a file system without flock, which submissions need: ask the site to mount it with locks"
else
  found "root path" ok "$1 can be written to, $(df -h -P -- "$1" | awk 'NR == 2 { print $4 }') free"
fi
rm -rf -- "$probe"
for tool in tar flock find stat head tail sort awk sed dd env mv ln cp chmod realpath readlink timeout; do
  command -v "$tool" >/dev/null 2>&1 || found tools no "$tool is missing on the login node"
done
