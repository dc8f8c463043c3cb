# Runs a stage under Apptainer or Singularity ($2), contained. $1 is the MPI interface of srun; the rest is what `exec` takes.
# There is no single quote in here: the batch script holds it as one quoted word.
mpi=$1 runtime=$2
shift 2
# Whoever holds a socket of the launcher may have it start programs outside. Of pmi2 the program gets PMI_FD.
for fd in /proc/self/fd/*; do
  fd=${fd##*/}
  ((fd <= 2)) || [ "$mpi:$fd" = "pmi2:${PMI_FD-}" ] || exec {fd}>&- || exit
done
scratch=$(mktemp -d 2>/dev/null || mktemp -d -p /tmp) || exit
clean() { rm -rf "$scratch" 2>/dev/null; }
trap clean EXIT
trap : TERM # the program has it, too; this shell stays to tidy up after it
case ${runtime##*/} in apptainer) prefix=APPTAINERENV ;; *) prefix=SINGULARITYENV ;; esac
# Each task has memory of its own: MPICH must not look for that of its neighbours.
[ "$mpi" = none ] || export MPIR_CVAR_NOLOCAL=1
for name in $(compgen -e); do
  case $mpi:$name in
    # A token of the account, and where srun and the steps of the job listen.
    *:SLURM_JWT | *:SLURM_SRUN_COMM_* | *:SLURM_STEP_LAUNCHER_PORT | *:SLURM_LAUNCH_NODE_IPADDR | *:SLURM_PMI* | *:SLURM_CONF*) ;;
    pmi2:PMI_* | pmi2:PMI2_* | pmi2:MPIR_CVAR_NOLOCAL | *:SLURM* | *:OMP_* | *:CUDA_VISIBLE_DEVICES | *:ROCR_VISIBLE_DEVICES | *:GPU_DEVICE_ORDINAL | *:ZE_AFFINITY_MASK)
      export "${prefix}_$name=${!name}" ;;
  esac
done
"$runtime" exec --containall --no-home --workdir "$scratch" "$@"
