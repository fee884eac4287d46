import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { axes } from '../base/geometry.ts';

/** What is said of a constant beside its value: what it counts, and where the value comes from. */
export interface ConstantNote {
  readonly unit: string;
  readonly source: string;
}

const notes = z.registry<ConstantNote>();

const [share, positive, count] = [z.number().min(0).max(1), z.number().positive(), z.int().positive()];
/** Two numbers, the smaller first. */
const range = z
  .tuple([z.number(), z.number()])
  .readonly()
  .refine(([low, high]) => low <= high, 'the smaller number comes first');
/** How often intensities are changed: of the patches, and of the channels of each of these. */
const shares = z.tuple([share, share]).readonly();

const note = <Schema extends z.ZodType>(schema: Schema, unit: string, source: string): Schema => {
  notes.add(schema, { unit, source });
  return schema;
};

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
    'slice thickness over voxel width from which kernels of a level are 1x3x3, halved from level to level; null: none are',
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
      positive.default(12),
      'the lead is this over the controller epochs of the search, within the range',
      'ours',
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
  coarse_plane: note(count.default(128), 'voxels of the patch within the plane from which it is downsampled', 'ours'),
  coarse_depth: note(count.default(32), 'slices of the patch from which the depth is downsampled too', 'ours'),
});

const trainingSchema = z
  .strictObject({
    loss: note(
      z.enum(['dice_cross_entropy', 'dice']).default('dice_cross_entropy'),
      'soft Dice, with or without cross-entropy',
      'nnU-Net; paper: Dice',
    ),
    batch_dice: note(
      z.boolean().default(false),
      'whether a class has one Dice a mini-batch, of all its voxels, in place of one a patch',
      'nnU-Net: where patches see little of a scan',
    ),
    optimiser: note(
      z.enum(['adam', 'sgd']).default('adam'),
      'Adam, or stochastic gradient descent with Nesterov momentum',
      'paper; nnU-Net: SGD',
    ),
    momentum: note(z.number().min(0).lt(1).default(0.99), "SGD's; Adam has moments of its own", 'nnU-Net'),
    learning_rate: note(
      positive.default(2e-3),
      "the optimiser's, where the schedule begins",
      'ours; the paper does not say',
    ),
    schedule_power: note(
      z.number().min(0).default(0.9),
      'exponent of the polynomial by which the rate falls to 0; 0: it is constant',
      'nnU-Net',
    ),
    steps_per_epoch: note(
      count.nullable().default(null),
      'training steps of an epoch, within which the rate is constant; null: search.training_epochs passes, the rate falls at each step',
      'ours; nnU-Net: 250',
    ),
    weight_decay: note(z.number().min(0).default(1e-3), 'for each step', 'paper: 1e-3 or 1e-4'),
    weight_decay_in: note(
      z.enum(['weights', 'gradient']).default('weights'),
      'where it acts: on the weights (AdamW) or in the gradient (Adam, SGD)',
      'Loshchilov & Hutter 2019; paper: Adam',
    ),
    gradient_clipping: note(
      positive.nullable().default(12),
      'norm to which gradients are clipped; null: they are not',
      'nnU-Net',
    ),
    averaged_share: note(
      share.default(0.1),
      'of the training steps so far that the moving average of the weights is over; 0: the weights as they are',
      'Polyak & Juditsky 1992; the share is ours',
    ),
    drop_path: note(
      share.default(0.1),
      'of the skips that are left out at each step',
      'paper, Table 1: the zero operation',
    ),
    foreground_every: note(count.default(3), 'patches, of which one is around a labelled voxel', 'nnU-Net'),
    foreground_last: note(
      share.nullable().default(null),
      "of a batch's patches, its last: instead, each is around a voxel of one class of its case, even where it reaches beyond the case's end; null: none",
      'ours; nnU-Net: 0.33',
    ),
    batch_cases: note(
      z.enum(['one', 'any']).default('one'),
      "that a batch's patches are of: one, or any of the training cases, drawn for each patch",
      'ours: one scan is read for a batch; nnU-Net: any',
    ),
    all_cases: note(
      z.boolean().default(false),
      'whether validation cases are trained on as well: all but the test fold, for systems that choose nothing by them',
      'ours',
    ),
  })
  .refine(({ optimiser, weight_decay_in }) => optimiser === 'adam' || weight_decay_in === 'gradient', {
    path: ['weight_decay_in'],
    error: "SGD decays weights in the gradient: give weight_decay_in 'gradient'",
  });

const augmentationSchema = z.strictObject({
  flip: note(share.default(0.5), 'of the patches, those that are mirrored along each of the axes', 'paper'),
  flip_axes: note(z.array(z.enum(axes)).readonly().default(['width']), 'along which patches are mirrored', 'paper'),
  spatial: note(share.default(0.2), 'of the patches that are rotated, and that are scaled', 'nnU-Net'),
  spatial_in_plane: note(share.default(0.6), 'the same where slices are thick', 'ours'),
  rotation: note(positive.default(Math.PI / 6), 'radians, the largest angle', 'nnU-Net'),
  rotation_in_plane: note(positive.default(Math.PI), 'radians, the same where slices are thick', 'nnU-Net'),
  rotation_in: note(
    z.enum(['millimetres', 'voxels']).default('millimetres'),
    'lengths that a rotation keeps',
    'ours: where voxels are no cubes, one in voxels shears',
  ),
  scale: note(range.default([0.7, 1.4]), 'times', 'nnU-Net'),
  scale_balanced: note(
    z.boolean().default(true),
    'whether half of the scales are below 1; otherwise they are uniform over their range',
    'nnU-Net v1',
  ),
  thick_slices: note(
    positive.nullable().default(3),
    'slice thickness over voxel width beyond which slices are thick; null: only where patches are flat',
    'nnU-Net v1',
  ),
  flat_patches: note(
    positive.default(3),
    'voxels of a patch within the plane over its slices beyond which slices count as thick: they are not mixed',
    'nnU-Net',
  ),
  label_interpolation: note(
    z.enum(['nearest', 'linear']).default('nearest'),
    'labels of rotated and scaled patches: of the nearest voxel, or the class of the largest share by linear weights',
    'ours: faster',
  ),
  noise_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels, with noise', 'ours'),
  noise: note(range.default([0, 0.1]), 'variance or standard deviation of Gaussian noise', 'nnU-Net'),
  noise_in: note(z.enum(['variance', 'deviation']).default('variance'), 'what of it is drawn', 'nnU-Net, as described'),
  noise_of: note(z.enum(['channel', 'patch']).default('channel'), 'what it is drawn for', 'ours'),
  blur_share: note(shares.default([0, 0.5]), 'of the patches, and of their channels, that are blurred', 'ours'),
  blur: note(range.default([0.5, 1]), 'voxels, standard deviation of the Gaussian along an axis', 'nnU-Net'),
  brightness_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels', 'nnU-Net v1'),
  brightness: note(range.default([0.7, 1.3]), 'times', 'nnU-Net v1'),
  contrast_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels', 'nnU-Net v1'),
  contrast: note(range.default([0.65, 1.5]), 'times the distance from the mean', 'nnU-Net v1'),
  low_resolution_share: note(shares.default([0, 0.5]), 'of the patches, and of their channels', 'ours'),
  low_resolution: note(range.default([0.5, 1]), 'times the resolution that details are left of', 'nnU-Net'),
  inverted_gamma_share: note(shares.default([0, 1]), 'of the patches, and of their channels, as negatives', 'ours'),
  gamma_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels', 'ours'),
  gamma: note(range.default([0.7, 1.5]), 'exponent, of negatives too', 'nnU-Net'),
});

const cellsSchema = z.strictObject({
  share: note(
    share.default(0.5),
    'of the time, in which cells are searched; in the rest they are trained',
    'ours, for SCNAS',
  ),
  sharpness: note(
    positive.default(25),
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
    z.enum(['volume', 'patch']).default('volume'),
    "what passes through the network at once: the whole volume, or windows of the training patch's size that slide over it",
    'paper: one-shot inference',
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
  interpolated: note(
    z.enum(['probabilities', 'logits']).default('probabilities'),
    "what is brought to the scan's own grid: probabilities linearly, or logits linearly, across thick slices the nearest",
    'ours',
  ),
});

/**
 * The recipe: every constant of space, network, controller, search, training, augmentation and inference that someone could want to
 * change, with its unit and source. A run keeps the whole of its own in `run.json`. What is left out is as in the default recipe.
 */
export const recipeSchema = z.strictObject({
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
  return constantsOf(recipe)
    .map((constant, at) => ({ ...constant, other: others[at].value }))
    .filter(({ value, other }) => !isDeepStrictEqual(value, other));
}
