import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@ronasmis/libtorch';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { Model } from '../../src/inference/model.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { weight } from '../../src/network/weights.ts';
import { writeRecord } from '../../src/run/run-folder.ts';
import { type RunRecord, recordDimensions } from '../../src/run/run-record.ts';
import { chirpWeights, microReference, narrow, predictingNames, reference } from '../network/peer.ts';
import { reportContent } from '../report/content.ts';

/** Children with every kind of choice in them. */
export const macroChild = reference.children['skips from finer and coarser levels, of odd volumes'].child;
export const microChild = microReference.children['every operation, of odd volumes'].child;

/** A child with its run of two channels and three classes, as a finished search has them, but narrow and not trained. */
export function narrowModel(
  architecture: ChildArchitecture,
  settings: Partial<RunRecord> = {},
  dimensions = narrow,
): Model {
  const { run } = reportContent(1);
  return {
    architecture,
    network: networkOf(architecture, dimensions),
    weights: chirpWeights(dimensions, architecture.space),
    run: { ...run, network: recordDimensions(dimensions), ...settings },
    cleaned: [],
  };
}

/** Writes the run folder of a search that ended with this model. */
export async function writeFinishedRun(root: string, { architecture, network, weights, run }: Model): Promise<string> {
  const folder = await mkdtemp(join(root, 'run-'));
  await writeRecord(folder, 'run.json', run);
  await writeRecord(folder, 'architecture.json', architecture);
  await writeRecord(folder, 'report.json', reportContent(1).report);
  const own = new Map(predictingNames(network).map((name) => [name, weight(weights, name)]));
  await writeSafetensors(join(folder, 'model.safetensors'), own);
  return folder;
}
