import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CellsLayout, CellsUNet } from '../../architecture/cells.ts';
import { UserError } from '../../base/errors.ts';
import { readFinishedRun } from '../../inference/model.ts';
import { resume } from '../../search/resume.ts';
import type { SearchHooks } from '../../search/search.ts';
import { trainArchitecture } from '../../search/train-architecture.ts';
import { planNetwork } from '../nnunet/layout.ts';
import { overlappedRecipe } from '../overlapped.ts';
import type { System, SystemOptions } from '../system.ts';

/** Channels of the full resolution, doubled from level to level, and of the widest level. */
const [width, widest] = [16, 256];
/** Patches in a batch, at most. */
const mostPatches = 2;

const traits: System['traits'] = {
  augmentation: null,
  ensemble: false,
  testTimeAugmentation: false,
  postProcessing: false,
  inference: 'overlapped patches',
};

/**
 * SCNAS, after Kim et al. 2019: for half of the time four kinds of cells are searched, in a run of its own in the folder `search`; then the network
 * of the cells that were found is trained from fresh weights. Its full text could not be had: docs/comparison.md says what is known of it and what is ours.
 */
export const scnas: System = {
  name: 'scnas',
  title: 'SCNAS, after Kim et al.',
  traits,
  train: async ({ from: _, python: __, ...options }, hooks) => {
    const found = await foundCells(options, hooks);
    await trainCells(found.architecture, found.seconds, options, hooks);
  },
};

/** The cells that SCNAS has found on another task, trained on this one. */
export const scnasTransfer: System = {
  name: 'scnas-transfer',
  title: 'SCNAS (transfer), after Kim et al.',
  traits,
  train: async ({ from, python: _, ...options }, hooks) => {
    if (existsSync(join(options.out, 'run.json'))) return trainCells(undefined, 0, options, hooks);
    if (from === undefined) {
      throw new UserError(
        'scnas-transfer takes the cells of another run: name the run folder of one of scnas with --from.',
      );
    }
    const { architecture } = await readFinishedRun(from);
    if (architecture.kind !== 'cells') {
      throw new UserError(
        `${from} has no cells, so scnas-transfer can take none: name a run folder of scnas with --from.`,
      );
    }
    const since = performance.now();
    const layout = await layoutFor(options, hooks);
    const { cells } = architecture;
    await trainCells({ ...layout, kind: 'cells', cells }, (performance.now() - since) / 1000, options, hooks);
  },
};

type Options = Omit<SystemOptions, 'from' | 'python'>;

/** The network of cells for a data set; what is not searched of it is as nnU-Net plans it. */
async function layoutFor(options: Options, hooks: SearchHooks): Promise<CellsLayout> {
  const { patch, batch, features, kernels, strides } = (await planNetwork(options, 'default', hooks)).architecture;
  return {
    patch,
    batch: Math.min(mostPatches, batch),
    features: features.map((_, level) => Math.min(widest, width * 2 ** level)),
    kernels,
    strides,
  };
}

/** Searches the cells, or goes on with that. @returns the network of those found, and the seconds that it took */
async function foundCells(options: Options, hooks: SearchHooks): Promise<{ architecture: CellsUNet; seconds: number }> {
  const out = join(options.out, 'search');
  const { architecture, report } = existsSync(join(out, 'run.json'))
    ? await resume(out, hooks)
    : await searchNew({ ...options, out }, hooks);
  if (architecture.kind !== 'cells') throw new Error(`${out} has found no cells.`);
  return { architecture, seconds: report.seconds };
}

async function searchNew({ timeSeconds, epochs, ...options }: Options, hooks: SearchHooks) {
  const since = performance.now();
  const layout = await layoutFor(options, hooks);
  const { share } = overlappedRecipe.cells;
  return trainArchitecture(
    { ...layout, kind: 'open_cells' },
    {
      ...options,
      ...(timeSeconds !== undefined && { timeSeconds: share * timeSeconds }),
      ...(epochs !== undefined && { epochs: Math.max(1, Math.round(share * epochs)) }),
      recipe: overlappedRecipe,
      earlierSeconds: (performance.now() - since) / 1000,
    },
    hooks,
  );
}

/** Trains the network of found cells in what is left of the time, or goes on with that. */
async function trainCells(
  architecture: CellsUNet | undefined,
  earlierSeconds: number,
  options: Options,
  hooks: SearchHooks,
): Promise<void> {
  if (architecture === undefined || existsSync(join(options.out, 'run.json'))) await resume(options.out, hooks);
  else await trainArchitecture(architecture, { ...options, recipe: overlappedRecipe, earlierSeconds }, hooks);
}
