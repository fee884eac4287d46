#!/bin/sh
# Two nodes of four ranks each: sbatch slurm.sh path/to/my-scans runs/first 8h
# The scans and the run folder lie on a file system that all nodes see.
#SBATCH --job-name=ronasmis
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --gpus-per-task=1
#SBATCH --time=09:00:00
#SBATCH --requeue
set -eu
export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
# A job that was put back into the queue goes on from its last finished step.
if [ -e "$2/run.json" ]; then
  exec srun --kill-on-bad-exit=1 npx ronasmis resume "$2"
fi
exec srun --kill-on-bad-exit=1 npx ronasmis search "$1" --out "$2" --time "$3"
