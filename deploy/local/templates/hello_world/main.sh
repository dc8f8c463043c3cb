#!/bin/bash
# The main stage runs once for each task, all at the same time.
echo "task ${SLURM_PROCID:-0} of ${SLURM_NTASKS:-1} on node ${SLURM_NODEID:-0}"
exec python main.py
