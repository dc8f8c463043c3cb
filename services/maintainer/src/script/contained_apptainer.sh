# Runs a stage under Apptainer or Singularity ($1), contained. The rest is what `exec` takes.
# There is no single quote in here: the batch script holds it as one quoted word.
runtime=$1
shift
scratch=$(mktemp -d 2>/dev/null || mktemp -d -p /tmp) || exit
clean() { rm -rf "$scratch" 2>/dev/null; }
trap clean EXIT
trap : TERM # the program has it, too; this shell stays to tidy up after it
case ${runtime##*/} in apptainer) prefix=APPTAINERENV ;; *) prefix=SINGULARITYENV ;; esac
for name in $(compgen -e); do
  case $name in
    SLURM_JWT) ;; # may act as the account
    SLURM* | PMI* | OMP_* | CUDA_VISIBLE_DEVICES | ROCR_VISIBLE_DEVICES | GPU_DEVICE_ORDINAL | ZE_AFFINITY_MASK)
      export "${prefix}_$name=${!name}" ;;
  esac
done
"$runtime" exec --containall --no-home --workdir "$scratch" "$@"
