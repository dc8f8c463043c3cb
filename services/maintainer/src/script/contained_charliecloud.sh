# Runs a stage under ch-run, contained. $1 is the MPI interface of srun, $2 the image directory; then come folders that the program
# must not write to, up to `--`; the rest is what `ch-run` takes.
# There is no single quote in here: the batch script holds it as one quoted word.
mpi=$1 image=$2
shift 2
read_only=()
while [ "$1" != -- ]; do
  read_only+=("$1")
  shift
done
shift
# Whoever holds a socket of the launcher may have it start programs outside. Of pmi2 the program gets PMI_FD.
for fd in /proc/self/fd/*; do
  fd=${fd##*/}
  ((fd <= 2)) || [ "$mpi:$fd" = "pmi2:${PMI_FD-}" ] || exec {fd}>&- || exit
done
# ch-run itself gives a program the processes of its account to see and to end.
spaces=(--user --map-current-user --pid --ipc --fork --kill-child --mount-proc)
unshare "${spaces[@]}" true || {
  echo "this node cannot contain programs (see unshare above): its operator may set containment to false for this HPC" >&2
  exit 1
}
scratch=$(mktemp -d 2>/dev/null || mktemp -d -p /tmp) && memory=$(mktemp -d -p /dev/shm) || exit
clean() { rm -rf "$scratch" "$memory" 2>/dev/null; }
trap clean EXIT
trap : TERM # the program has it, too; this shell stays to tidy up after it
mkdir "$scratch/tmp" "$scratch/home" || exit
environment=("--unset-env=*" --env-no-expand --set-env=HOME=/tmp
  --set-env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
[ ! -f "$image/ch/environment" ] || environment+=("--set-env=$image/ch/environment")
# Each task has memory of its own: MPICH must not look for that of its neighbours.
[ "$mpi" = none ] || export MPIR_CVAR_NOLOCAL=1
for name in $(compgen -e); do
  case $mpi:$name in
    # A token of the account, and where srun and the steps of the job listen.
    *:SLURM_JWT | *:SLURM_SRUN_COMM_* | *:SLURM_STEP_LAUNCHER_PORT | *:SLURM_LAUNCH_NODE_IPADDR | *:SLURM_PMI* | *:SLURM_CONF*) ;;
    pmi2:PMI_* | pmi2:PMI2_* | pmi2:MPIR_CVAR_NOLOCAL | *:SLURM* | *:OMP_* | *:CUDA_VISIBLE_DEVICES | *:ROCR_VISIBLE_DEVICES | *:GPU_DEVICE_ORDINAL | *:ZE_AFFINITY_MASK)
      environment+=("--set-env=$name=${!name}") ;;
  esac
done
protect=()
if [ ${#read_only[@]} -gt 0 ]; then
  # ch-run binds nothing read-only by itself, but keeps what is. Nobody further inside can undo it.
  spaces=(--user "--map-user=$(id -u)" "--map-group=$(id -g)" --pid --ipc --fork --kill-child --mount-proc)
  protect=(unshare --user --map-root-user --mount bash -c "while [ \"\$1\" != -- ]; do
    mount --bind \"\$1\" \"\$1\" && mount -o remount,bind,ro \"\$1\" || exit
    shift
  done
  shift
  exec \"\$@\"" protect "${read_only[@]}" --)
fi
# Older ones bind $HOME. The first process of a namespace is a shell: it would not be ended by a signal.
HOME=$scratch/home ${protect[@]+"${protect[@]}"} unshare "${spaces[@]}" bash -c "\"\$@\"; exit \$?" init \
  ch-run "${environment[@]}" --private-tmp --bind "$scratch/tmp:/tmp" --bind "$memory:/dev/shm" "$@"
