#!/bin/sh
# Two machines of four GPUs or processes each: start this on both, with the same first machine's name.
#   sh torchrun.sh first-machine path/to/my-scans runs/first 8h
set -eu
exec torchrun --nnodes 2 --nproc-per-node 4 --max-restarts 3 \
  --rdzv-backend c10d --rdzv-endpoint "$1:29400" --rdzv-id ronasmis --no-python \
  sh -c 'if [ -e "$2/run.json" ]; then exec npx ronasmis resume "$2"; else exec npx ronasmis search "$1" --out "$2" --time "$3"; fi' \
  ronasmis "$2" "$3" "$4"
