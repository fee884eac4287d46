import {
  type Architecture,
  architectureSchema,
  type ChildArchitecture,
  strideBetween,
} from '../architecture/architecture.ts';
import { patchOf } from '../architecture/patch.ts';
import { reasonOf, UserError } from '../base/errors.ts';
import { productOf, type Triple } from '../base/geometry.ts';
import { parseJson } from '../base/json.ts';
import { readText } from '../base/text-file.ts';
import type { PreparedCase } from '../preparation/prepare.ts';

/**
 * Reads an `architecture.json`, as a search has left it or as someone wrote it.
 * @throws UserError where it can't be read, or says no network
 */
export async function readArchitecture(file: string): Promise<Architecture> {
  const text = await readText(file).catch((error: unknown) => {
    throw new UserError(`${file} can't be read (${reasonOf(error)}): give an architecture.json with --architecture.`);
  });
  const architecture = parseJson(text, architectureSchema, ([why]) => refusal(file, why));
  const problem = problemOf(architecture);
  if (problem !== undefined) throw refusal(file, problem);
  return architecture;
}

function refusal(file: string, why: string): UserError {
  return new UserError(`${file} describes no network (${why}): compare it with the architecture.json of a run folder.`);
}

/** What the schema does not say of an architecture. */
function problemOf(architecture: Architecture): string | undefined {
  const isChild = architecture.kind === undefined;
  const problem = isChild ? childProblem(architecture) : undefined;
  if (problem !== undefined) return problem;
  const strides = stridesOf(architecture);
  const patch = patchOf(architecture);
  if (patch.every((extent, axis) => extent >= strides[axis])) return undefined;
  return `at patch: of ${patch.join(' x ')} voxels, poolings of ${strides.join(' x ')} in all leave less than one`;
}

/** All strides of an architecture together. */
function stridesOf(architecture: Architecture): Triple {
  if (architecture.kind !== undefined) return productOf(architecture.strides);
  return strideBetween(architecture, 0, architecture.encoder.length - 1);
}

function childProblem({ encoder, decoder }: ChildArchitecture): string | undefined {
  const [{ pool }] = encoder;
  if (pool.depth !== 1 || pool.plane !== 1) return 'at encoder.0.pool: nothing is pooled before the full resolution';
  for (const [level, { skips }] of decoder.entries()) {
    const lowest = encoder.length - 1;
    if (skips.includes(lowest)) return `at decoder.${level}.skips: the decoder begins with encoder level ${lowest}`;
    if (new Set(skips).size < skips.length) return `at decoder.${level}.skips: an encoder level is named twice`;
  }
  return undefined;
}

/** @throws UserError where a network's training patch is larger than any scan: what lies outside is padding, which teaches nothing */
export function requireFit(architecture: Architecture, cases: readonly PreparedCase[]): void {
  const patch = patchOf(architecture);
  const largest = ([0, 1, 2] as const).map((axis) => Math.max(...cases.map(({ shape }) => shape[axis])));
  // Up to what its strides divide: a search's own base child may have a voxel more than scans that were cropped.
  const step = stridesOf(architecture);
  if (patch.every((extent, axis) => extent <= step[axis] * Math.ceil(largest[axis] / step[axis]))) return;
  throw new UserError(
    `The architecture's patch of ${patch.join(' x ')} voxels (depth, height, width) is larger than the scans, of which the largest have ` +
      `${largest.join(' x ')} at the data set's spacing: make its patch smaller.`,
  );
}
