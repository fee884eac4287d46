import { z } from 'zod';
import { augmentationSchema } from './augmentation.ts';
import { type ConstantNote, count, note, notes, positive, range, share } from './note.ts';
import { trainingSchema } from './training.ts';

const preparationSchema = z.strictObject({
  coarsening: note(
    z.number().min(1).default(1),
    "times the finest spacing of the data set's: scans are resampled so that no axis is finer",
    'ours; 1: nnU-Net, full resolution',
  ),
  masked_below: note(
    share.nullable().default(null),
    'of the voxels of the median scan: where the crop to what is not 0 leaves less, z-scores are those of what is not 0, and the rest stays 0; null: never',
    'ours: one z-score for all data sets; nnU-Net: 0.75',
  ),
});

const spaceSchema = z.strictObject({
  cost_limit: note(
    positive.nullable().default(1.5),
    "multiply-adds of a child, in terms of the base child's; null: no limit",
    'ours: Table 1 admits networks that never pool, 60 times as dear',
  ),
  patch_lead: note(
    z.number().nullable().default(4),
    'logits by which the largest patch leads at first where patches are drawn; null: the controller learns them',
    'ours: rewards are of whole volumes and say nothing of patches',
  ),
  patch_share: note(
    share.default(2 / 3),
    'of the search, in which patches are drawn, the largest more and more often; what follows trains children on their own',
    'ours',
  ),
  cell_operations: note(
    count.default(3),
    'operations on 3x3x3 voxels in a cell of the micro space, at most',
    "ours: one and a half times the base cell's",
  ),
});

const networkSchema = z.strictObject({
  widths: note(
    z.array(count).min(1).readonly().default([16, 8, 4]),
    'channels of the full resolution that are tried, the first that memory suffices for',
    'ours',
  ),
  widening: note(count.default(8), 'times the full resolution: channels of the widest level', 'ours'),
  thick_slice: note(
    positive.nullable().default(2),
    'slice thickness over voxel width from which kernels of a level are 1x3x3, halved from level to level; null: none are, unless a race finds otherwise',
    'nnU-Net (Isensee et al. 2021)',
  ),
  mixes_taps: note(
    z.boolean().default(true),
    'whether a dilation takes shared kernels through a matrix of its own',
    'ours, after Once-for-all (Cai et al. 2020)',
  ),
});

const controllerSchema = z
  .strictObject({
    hidden_size: note(count.default(64), 'units of the LSTM', 'ENAS (Pham et al. 2018)'),
    temperature: note(positive.default(5), 'by which logits are divided before the tanh', 'ENAS'),
    tanh_constant: note(positive.default(2.5), 'the largest logit', 'ENAS'),
    initial_range: note(positive.default(0.1), 'first weights are uniform within plus and minus this', 'ENAS'),
    bias_scale: note(
      z.number().min(0).default(250),
      "times as fast as the LSTM's weights, the bias of each decision; 0: no biases",
      'ours: within a few dozen updates the LSTM alone hardly leaves the uniform policy',
    ),
    learning_rate: note(positive.default(3.5e-4), "Adam's, for each update", 'ENAS'),
    learning_rate_steps: note(
      count.nullable().default(150),
      'controller epochs that the rate is meant for: shorter searches take larger steps, by the square root; null: all take the same',
      'ours',
    ),
    baseline_decay: note(
      share.default(0.85),
      'share of the moving-average baseline left after a reward',
      'ours (ENAS 0.95 or more): rewards rise while the shared weights learn',
    ),
    entropy_weight: note(z.number().min(0).default(1e-4), 'of the entropy (nats) in the objective', 'ENAS'),
    base_lead: note(
      range.default([2, 4]),
      "logits by which the base child's choices lead at first, in long and in short searches; 0 and 0: uniform",
      'ours',
    ),
    base_lead_steps: note(
      positive.default(180),
      'the lead is this over the controller epochs of the search, within the range',
      'ours',
    ),
    fewest_steps: note(
      z.number().min(0).default(150),
      'controller epochs, those at half the resolution where there are such, below which auto trains the base child alone',
      'ours: what the paper has at least',
    ),
    warm_up_share: note(
      share.default(0.25),
      'of the search, before the controller begins to learn',
      'TuNAS (Bender et al. 2020)',
    ),
    decided_share: note(
      share.nullable().default(2 / 3),
      'of the search, after which the policy is decided; null: it never is before its end',
      'ours: the result is used as it is, so its child has to be trained',
    ),
    steps_alone: note(
      count.default(5),
      'controller epochs for which a decided child is trained alone, at most',
      'ours',
    ),
    largest_sharpness: note(positive.default(50), 'times the logits of a decided policy are taken', 'ours'),
    ppo_clipping: note(positive.default(0.2), 'of the ratio of probabilities', 'Schulman et al. 2017'),
    ppo_epochs: note(count.default(4), 'passes over the children of a step', 'Schulman et al. 2017: 3 to 10'),
    population: note(count.default(40), 'individuals that are alive', 'ours: two steps of 20 children fill it'),
    tournament: note(count.default(10), 'individuals that compete to be a parent', 'Real et al. 2019: a quarter'),
  })
  .refine(({ base_lead: [, most], bias_scale }) => most === 0 || bias_scale > 0, {
    path: ['base_lead'],
    error: 'choices can only lead where decisions have biases: give a bias_scale above 0',
  })
  .refine(({ base_lead: [, most], tanh_constant }) => most < 2 * tanh_constant, {
    path: ['base_lead'],
    error: 'a lead has to be below twice the tanh_constant, the most that a policy can express',
  });

const searchSchema = z.strictObject({
  epochs: note(count.default(150), 'controller epochs where no limit is given', 'paper: 150 to 500'),
  training_epochs: note(count.default(3), 'passes over the training cases in a controller epoch', 'paper, section 2.3'),
  children: note(count.default(20), 'children evaluated in a controller epoch', 'paper, section 2.3'),
  fewest_children: note(count.default(4), 'of those, at least, where time is short', 'ours'),
  evaluation_share: note(
    positive.default(0.5),
    'of the time of training: what evaluation takes at most where time is short',
    'ours',
  ),
  finalists: note(
    z.boolean().default(true),
    'whether the child that the controller finds likeliest is evaluated in the end as well',
    'ours',
  ),
  coarse_share: note(share.default(0.5), 'of the search, on downsampled volumes; 0: none', 'ours'),
  joins_coarse: note(
    z.boolean().default(true),
    'whether what the coarse part has found is joined with what is found at the full resolution, by the weights that the validation cases have best of 1:1, 1:3 and 3:1, unless they are clearly worse so',
    'ours, after nnU-Net: an ensemble of both resolutions',
  ),
  race_share: note(
    share.default(0.1),
    'of the search: how long kernels of 3x3x3 and of 1x3x3 race, where network.thick_slice is null; 0: not at all, they are 3x3x3',
    'ours',
  ),
  coarse_plane: note(count.default(128), 'voxels of the patch within the plane from which it is downsampled', 'ours'),
  coarse_depth: note(count.default(32), 'slices of the patch from which the depth is downsampled too', 'ours'),
});

const cellsSchema = z.strictObject({
  share: note(
    share.default(0.5),
    'of the time, in which cells are searched; in the rest they are trained',
    'ours, for SCNAS',
  ),
  warm_up_share: note(
    share.default(0.3),
    'of the search, in which operations are drawn alike and the weights alone learn',
    'ours, after TuNAS (Bender et al. 2020)',
  ),
  sharpness: note(
    positive.default(5),
    'times as fast as other weights, the logits of the operations on an edge',
    'ours: within a few hundred steps they would hardly leave the uniform choice',
  ),
  temperature: note(
    z.tuple([positive, positive]).readonly().default([2, 0.5]),
    'of the relaxed choice, at first and at last',
    'ours, after GDAS (Dong & Yang 2019)',
  ),
});

const inferenceSchema = z.strictObject({
  window: note(
    z.enum(['region', 'volume', 'patch']).default('region'),
    "what passes through the network at once: the whole volume, then the region of what was found, no smaller than the training patch; the volume alone; or windows of the patch's size that slide over it",
    'ours, after Zhou et al. (2017); paper: one-shot inference',
  ),
  smallest_tile: note(
    count.default(16),
    'voxels along an axis, of which tiles are multiples where memory does not suffice for one pass',
    'ours',
  ),
  tile_step: note(share.default(0.5), 'of a tile, from one to the next at most', 'nnU-Net'),
  tile_standard_deviation: note(
    positive.default(1 / 8),
    "of a tile: standard deviation of its voxels' weights",
    'nnU-Net',
  ),
  tile_weights: note(
    z.enum(['gaussian', 'even']).default('gaussian'),
    'by what the logits of a voxel are averaged that is in several tiles or windows',
    'nnU-Net',
  ),
  mirroring: note(
    z.boolean().default(false),
    'whether each pass is the mean of the logits of all eight mirrorings',
    'paper, Table 2: no test-time augmentation',
  ),
  removes_small_components: note(
    z.boolean().default(true),
    'whether small components are removed (less than half the voxels of the largest) of what is one piece in every training label, where the validation cases are no worse so',
    'ours, after nnU-Net',
  ),
  interpolated: note(
    z.enum(['probabilities', 'logits']).default('probabilities'),
    "what is brought to the scan's own grid: probabilities linearly, or logits linearly, across thick slices the nearest",
    'ours',
  ),
});

/**
 * The recipe: every constant of preparation, space, network, controller, search, training, augmentation and inference that someone could want to
 * change, with its unit and source. A run keeps the whole of its own in `run.json`. What is left out is as in the default recipe.
 */
export const recipeSchema = z.strictObject({
  preparation: preparationSchema.prefault({}),
  space: spaceSchema.prefault({}),
  network: networkSchema.prefault({}),
  controller: controllerSchema.prefault({}),
  search: searchSchema.prefault({}),
  training: trainingSchema.prefault({}),
  augmentation: augmentationSchema.prefault({}),
  cells: cellsSchema.prefault({}),
  inference: inferenceSchema.prefault({}),
});

/** Every constant of a search that someone could want to change, by section. */
export type Recipe = Readonly<{ [Section in keyof RecipeSections]: Readonly<RecipeSections[Section]> }>;
type RecipeSections = z.output<typeof recipeSchema>;

/** Ours: what docs/search.md compares with the published one. */
export const defaultRecipe: Recipe = recipeSchema.parse({});

/** One constant of a recipe. */
export interface Constant extends ConstantNote {
  readonly section: string;
  readonly name: string;
  readonly value: unknown;
}

/** What is said of each constant, by section and name. */
const noteOf = new Map(
  Object.entries(recipeSchema.shape).flatMap(([section, schema]) =>
    Object.entries(schema.unwrap().shape).map(
      ([name, constant]) => [`${section}.${name}`, notes.get(constant)] as const,
    ),
  ),
);

/** The constants of a recipe, one after the other, with what is said of each. */
export function constantsOf(recipe: Recipe): readonly Constant[] {
  return Object.entries(recipe).flatMap(([section, values]) =>
    Object.entries(values).map(([name, value]: readonly [string, unknown]) => {
      const { unit = '', source = '' } = noteOf.get(`${section}.${name}`) ?? {};
      return { section, name, value, unit, source };
    }),
  );
}

/** A constant in which a recipe differs from another, and its value there. */
export interface Difference extends Constant {
  readonly other: unknown;
}

/** In what a recipe differs from another. */
export function differences(recipe: Recipe, from: Recipe): readonly Difference[] {
  const others = constantsOf(from);
  return (
    constantsOf(recipe)
      .map((constant, at) => ({ ...constant, other: others[at].value }))
      // Both have their keys in the schema's order.
      .filter(({ value, other }) => JSON.stringify(value) !== JSON.stringify(other))
  );
}
