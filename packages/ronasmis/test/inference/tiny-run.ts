import { join } from 'node:path';
import { type Tensor, writeSafetensors } from '@ronasmis/libtorch';
import { networkOf } from '../../src/network/of-architecture.ts';
import { weight } from '../../src/network/weights.ts';
import { writeRecord } from '../../src/run/run-folder.ts';
import { type RunRecord, recordDimensions } from '../../src/run/run-record.ts';
import { predictingNames, spaceWeights } from '../network/peer.ts';
import { reportContent } from '../report/content.ts';
import { tinyContext } from '../search/tiny-context.ts';

const { dimensions, space } = tinyContext;
/** The child that tiny runs have found, and the weights that it has, untrained. */
export const child = space.base;
export const network = networkOf(child, dimensions);
export const weights = spaceWeights('macro', dimensions, 2);
export const labels = [0, 2, 5].map((value) => ({ value, name: `label ${value}` }));
/** The weights on the child's path, as a run folder has them. */
export const storedWeights: ReadonlyMap<string, Tensor> = new Map(
  predictingNames(network).map((name) => [name, weight(weights, name)]),
);

/** Writes the run folder, which is there, of a search that ended with `child` and these weights. */
export async function writeTinyRun(
  folder: string,
  stored: ReadonlyMap<string, Tensor> = storedWeights,
  settings: Partial<RunRecord> = {},
): Promise<string> {
  const { run, report } = reportContent(1);
  await writeRecord(folder, 'run.json', { ...run, network: recordDimensions(dimensions), labels, ...settings });
  await writeRecord(folder, 'architecture.json', child);
  await writeRecord(folder, 'report.json', report);
  await writeSafetensors(join(folder, 'model.safetensors'), stored);
  return folder;
}
