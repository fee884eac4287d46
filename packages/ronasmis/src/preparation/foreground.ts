import { IGNORED_CLASS } from '../data/description.ts';
import { labelledVoxels } from '../data/fingerprint.ts';

/** Where patches around labelled voxels can be, of flat indices into a label `[depth, height, width]`. */
export interface Foreground {
  /** Of all labelled voxels: all of them, or 10,000 spread evenly. */
  readonly foreground: Uint32Array;
  /** By class index, of its voxels: all of them, or 10,000 spread evenly; none of the background. */
  readonly classForeground: readonly Uint32Array[];
}

const MAX_VOXELS = 10_000;

/** The labelled voxels of a label of class indices; what is ignored is none. */
export function foregroundOf(label: Uint8Array): Foreground {
  return { foreground: labelledVoxels(label, MAX_VOXELS, IGNORED_CLASS), classForeground: byClass(label) };
}

function byClass(label: Uint8Array): readonly Uint32Array[] {
  const counts = new Uint32Array(IGNORED_CLASS);
  for (let i = 0; i < label.length; i++) if (label[i] !== 0 && label[i] !== IGNORED_CLASS) counts[label[i]]++;
  const classes = counts.findLastIndex((count) => count > 0) + 1;
  const steps = counts.map((count) => Math.max(1, Math.ceil(count / MAX_VOXELS)));
  const voxels = Array.from({ length: classes }, (_, one) => new Uint32Array(Math.ceil(counts[one] / steps[one])));
  const seen = new Uint32Array(classes);
  for (let i = 0; i < label.length; i++) {
    const one = label[i];
    if (one === 0 || one === IGNORED_CLASS) continue;
    if (seen[one] % steps[one] === 0) voxels[one][seen[one] / steps[one]] = i;
    seen[one]++;
  }
  return voxels;
}
