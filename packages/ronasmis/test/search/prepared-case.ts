import type { Triple } from '../../src/base/geometry.ts';
import { unturned } from '../../src/formats/orientation.ts';
import type { PreparedCase } from '../../src/preparation/prepare.ts';

/** A case of one channel, all of class 1, in memory. */
export function prepared(name: string, shape: Triple): PreparedCase {
  const voxels = shape[0] * shape[1] * shape[2];
  const storage = { kind: 'memory', image: new Float32Array(voxels), label: new Uint8Array(voxels).fill(1) } as const;
  const crop = { offset: [0, 0, 0] as const, shape, scanShape: shape };
  return {
    name,
    labelFile: '',
    labelTurn: unturned,
    channels: 1,
    shape,
    spacing: [1, 1, 1],
    crop,
    storage,
    labelled: [1],
    lost: [],
    scattered: [],
    foreground: new Uint32Array(),
    classForeground: [],
    outsideCrop: [0, 0, 0],
    scanSpacing: [1, 1, 1],
  };
}
