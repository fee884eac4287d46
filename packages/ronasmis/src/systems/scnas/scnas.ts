import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../architecture/architecture.ts';
import type { CellsLayout } from '../../architecture/cells.ts';
import { UserError } from '../../base/errors.ts';
import { readFinishedRun } from '../../inference/model.ts';
import type { PlanNetwork, PlannedFor } from '../../search/options.ts';
import { resume } from '../../search/resume.ts';
import type { SearchHooks, SearchResult } from '../../search/search.ts';
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
 * SCNAS, after Kim et al. 2019 (arXiv 1906.05956): for half of the time four kinds of cells are searched, in a run of its own in the folder
 * `search`; then the network of the cells that were found is trained from fresh weights.
 *
 * The paper's, as its abstract has it: the four kinds of cells and that the connections and operations of each are searched by gradients, on a
 * relaxation from which they are drawn. Its full text could not be had. Ours, after GDAS (Dong & Yang 2019) and nnU-Net's plan: all else, which
 * docs/comparison.md lists.
 */
export const scnas: System = {
  name: 'scnas',
  title: 'SCNAS, after Kim et al.',
  traits,
  train: async ({ from: _, python: __, ...given }, hooks) => {
    const options = { ...given, system: 'scnas' };
    if (isBegun(options.out)) return goOn(options.out, hooks);
    const half = halfOf(options);
    const { architecture, report } = await searchedCells(half, hooks);
    const epochs = options.epochs && half.epochs && Math.max(1, options.epochs - half.epochs);
    await trainCells(architecture, { ...options, ...(epochs !== undefined && { epochs }) }, report.seconds, hooks);
  },
};

/** The cells that SCNAS has found on another task, trained on this one. */
export const scnasTransfer: System = {
  name: 'scnas-transfer',
  title: 'SCNAS (transfer), after Kim et al.',
  traits,
  train: async ({ from, python: _, ...given }, hooks) => {
    const options = { ...given, system: 'scnas-transfer' };
    if (isBegun(options.out)) return goOn(options.out, hooks);
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
    const { cells } = architecture;
    const plan: PlanNetwork = (known) => ({
      architecture: { ...layoutFor(known), kind: 'cells', cells },
      recipe: overlappedRecipe,
    });
    await trainCells(plan, options, 0, hooks);
  },
};

/** What it trains by, whatever is trained. */
const trainedBy = { recipe: overlappedRecipe, augment: 'off' } as const;

type Options = Omit<SystemOptions, 'from' | 'python'> & { readonly system: string };

const isBegun = (out: string): boolean => existsSync(join(out, 'run.json'));

async function goOn(out: string, hooks: SearchHooks): Promise<void> {
  await resume(out, hooks);
}

/** The network of cells for a data set; what is not searched of it is as nnU-Net plans it. */
function layoutFor(known: PlannedFor): CellsLayout {
  const { patch, batch, features, kernels, strides } = planNetwork(known, 'default').architecture;
  return {
    patch,
    batch: Math.min(mostPatches, batch),
    features: features.map((_, level) => Math.min(widest, width * 2 ** level)),
    kernels,
    strides,
  };
}

/** What the search of cells may take of a budget, and where it has its run. */
function halfOf({ timeSeconds, epochs, out, ...options }: Options): Options {
  const { share } = overlappedRecipe.cells;
  return {
    ...options,
    out: join(out, 'search'),
    ...(timeSeconds !== undefined && { timeSeconds: share * timeSeconds }),
    ...(epochs !== undefined && { epochs: Math.max(1, Math.round(share * epochs)) }),
  };
}

/** Searches the cells, or goes on with that. */
function searchedCells(options: Options, hooks: SearchHooks): Promise<SearchResult> {
  if (isBegun(options.out)) return resume(options.out, hooks);
  const plan: PlanNetwork = (known) => ({
    architecture: { ...layoutFor(known), kind: 'open_cells' },
    recipe: overlappedRecipe,
  });
  return trainArchitecture(plan, { ...options, ...trainedBy, isTestedElsewhere: true }, hooks);
}

/** Trains the network of found cells in what is left of the time. */
async function trainCells(
  trained: Architecture | PlanNetwork,
  options: Options,
  earlierSeconds: number,
  hooks: SearchHooks,
): Promise<void> {
  const how = { ...options, ...trainedBy, earlierSeconds, isTestedElsewhere: true };
  await trainArchitecture(trained, how, hooks);
}
