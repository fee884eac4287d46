import { join } from 'node:path';
import { type DataType, type Device, readSafetensors, type Tensor } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { isLoadError, UserError } from '../base/errors.ts';
import { quoted } from '../base/json.ts';
import type { Network } from '../network/network.ts';
import { networkOf } from '../network/of-architecture.ts';
import { loadedWeight, type Weights } from '../network/weights.ts';
import { readRun } from '../run/read-run.ts';
import { dimensionsOf, howToGoOn, type RunRecord } from '../run/run-record.ts';

/** A finished search's network, ready to segment. */
export interface Model {
  readonly architecture: Architecture;
  readonly network: Network;
  /** On the device, kernels in the layout that convolutions are fast in. */
  readonly weights: Weights;
  readonly run: RunRecord;
  /** Class indices whose small components are removed. */
  readonly cleaned: readonly number[];
}

/** What weights may be stored as: they are computed with as float32. */
const floatingPoint: readonly DataType[] = ['float32', 'float64', 'bfloat16', 'float16'];

/**
 * The network that a search has left in its run folder.
 * @throws UserError where the search has not finished or its files do not belong together
 */
export async function loadModel(runFolder: string, device: Device): Promise<Model> {
  return openModel(await readFinishedRun(runFolder), device);
}

/** What a finished search has left of its network beside the weights. */
type FinishedRun = Omit<Model, 'network' | 'weights'> & { readonly folder: string };

/**
 * The records of a finished search.
 * @throws UserError where it has not finished or its records are damaged
 */
export async function readFinishedRun(folder: string): Promise<FinishedRun> {
  const { run, architecture, report } = await readRun(folder);
  if (!architecture || !report) {
    throw new UserError(`${folder}: this search has not finished. Go on with it by ${howToGoOn(run, folder)}.`);
  }
  if (run.not_run_here !== undefined) {
    throw new UserError(
      `${folder}: its network can't be run here, for ${run.not_run_here}. What it says of the test cases is in ${join(folder, 'predictions')}.`,
    );
  }
  return { folder, run, architecture, cleaned: report.cleaned_classes };
}

/**
 * Reads the weights of a finished search's network.
 * @throws UserError where they do not belong to its architecture
 */
export async function openModel({ folder, run, architecture, cleaned }: FinishedRun, device: Device): Promise<Model> {
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path).catch((error: unknown) => {
    if (isLoadError(error)) throw error;
    const reason = quoted(error instanceof Error ? error.message : String(error));
    throw new UserError(`${path} cannot be read (${reason}). Search again into a new folder.`);
  });
  const network = networkOf(architecture, dimensionsOf(run));
  const weights = network.parameters.map(({ name, shape }): [string, Tensor] => {
    const stored = tensors.get(name);
    if (!stored)
      throw new UserError(`${path} lacks the weight '${name}' of architecture.json. Search again into a new folder.`);
    const [found, expected] = [stored.shape.join(' x '), shape.join(' x ')];
    if (found !== expected || !floatingPoint.includes(stored.dataType)) {
      const what = `'${name}' as ${stored.dataType} of ${found}, but run.json describes it as float32 of ${expected}`;
      throw new UserError(`${path} has the weight ${what}. Search again into a new folder.`);
    }
    return [name, loadedWeight(stored, device)];
  });
  for (const stored of tensors.values()) stored.free();
  return { architecture, network, weights: new Map(weights), run, cleaned };
}
