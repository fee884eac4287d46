import { type MacroArchitecture, strideBetween } from '../architecture/architecture.ts';
import { levels, type NetworkDimensions } from '../architecture/dimensions.ts';
import { axes } from '../base/geometry.ts';
import type { AugmentMode } from '../recipe/augment-mode.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { allSkips } from './table1.ts';

/** A change of the base network, whose run has these dimensions; undefined where it can't be changed so. */
type NetworkChange = (base: MacroArchitecture, dimensions: NetworkDimensions) => MacroArchitecture | undefined;
type RecipeChange = (recipe: Recipe) => Recipe;

/** A change of the base network, of the recipe, or of both: what a search can make of them. */
export interface Change {
  /** By which it is known. */
  readonly name: string;
  /** What is chosen anew: of the changes of one gene, a network has one at most. */
  readonly gene: string;
  /** The change in words. */
  readonly what: string;
  /** Left out where the recipe alone is changed. */
  readonly network?: NetworkChange;
  readonly recipe?: RecipeChange;
  /** Whether patches are augmented; left to the run where it is left out. */
  readonly augment?: AugmentMode;
}

type Level = MacroArchitecture['encoder'][number] | MacroArchitecture['decoder'][number];

/** A change of every level's block. */
const blocks =
  (change: Partial<Pick<Level, 'activation' | 'convolutions' | 'residual'>>): NetworkChange =>
  (base) => ({
    ...base,
    encoder: base.encoder.map((level) => ({ ...level, ...change })),
    decoder: base.decoder.map((level) => ({ ...level, ...change })),
  });

/** Every level dilated, where its patch is larger than the dilation (Table 1). */
function dilated(base: MacroArchitecture, dilation: 2 | 3): MacroArchitecture {
  const { height, width } = base.patch;
  const fits = (level: number): boolean => dilation < Math.max(height, width) / strideBetween(base, 0, level)[1];
  const change = <One extends Level>(one: One, level: number): One => (fits(level) ? { ...one, dilation } : one);
  return { ...base, encoder: base.encoder.map(change), decoder: base.decoder.map(change) };
}

const skips =
  (from: (level: number) => readonly number[]): NetworkChange =>
  (base) => ({ ...base, decoder: base.decoder.map((level, at) => ({ ...level, skips: from(at) })) });

/** The pooling of one level by another stride. */
function pooled(
  base: MacroArchitecture,
  level: number,
  pool: Partial<MacroArchitecture['encoder'][number]['pool']>,
): MacroArchitecture | undefined {
  if (level < 1) return undefined;
  return {
    ...base,
    encoder: base.encoder.map((one, at) => (at === level ? { ...one, pool: { ...one.pool, ...pool } } : one)),
  };
}

/** Along the depth one pooling more, at the first level that has none, where the patch is deep enough for it. */
function pooledInDepth(base: MacroArchitecture): MacroArchitecture | undefined {
  const level = base.encoder.findIndex(({ pool }, at) => at > 0 && pool.depth === 1);
  const stride = strideBetween(base, 0, base.encoder.length - 1)[0];
  return base.patch.depth % (2 * stride) === 0 ? pooled(base, level, { depth: 2 }) : undefined;
}

/** Patches of half the height and width where these can be halved, so that a batch has several. */
function smallerPatch(base: MacroArchitecture): MacroArchitecture | undefined {
  const { depth, height, width } = base.patch;
  const [, stride] = strideBetween(base, 0, base.encoder.length - 1);
  if (height % (2 * stride) !== 0 || width % (2 * stride) !== 0) return undefined;
  return { ...base, patch: { depth, height: height / 2, width: width / 2 } };
}

const training =
  (change: (training: Recipe['training']) => Partial<Recipe['training']>): RecipeChange =>
  (recipe) => ({ ...recipe, training: { ...recipe.training, ...change(recipe.training) } });

const section =
  <Section extends Exclude<keyof Recipe, 'training'>>(name: Section, change: Partial<Recipe[Section]>): RecipeChange =>
  (recipe) => ({ ...recipe, [name]: { ...recipe[name], ...change } });

const ofWidth =
  (times: number): NetworkChange =>
  (base, { channels }) => ({ ...base, width: Math.round(times * channels[0]) });

/** Other kernels than those of the base. */
const flatUntil =
  (level: number): NetworkChange =>
  (base, { flatLevels }) =>
    flatLevels === level ? undefined : { ...base, flat_levels: level };

/** So many times as often augmented, at most always. */
function augmented(times: number): RecipeChange {
  const often = (share: number): number => Math.min(1, times * share);
  const ofPatches = ([patches, channels]: readonly [number, number]): readonly [number, number] =>
    patches < 1 ? [often(patches), channels] : [patches, often(channels)];
  return (recipe) => {
    const { augmentation: now } = recipe;
    const augmentation = {
      ...now,
      spatial: often(now.spatial),
      spatial_in_plane: often(now.spatial_in_plane),
      noise_share: ofPatches(now.noise_share),
      blur_share: ofPatches(now.blur_share),
      brightness_share: ofPatches(now.brightness_share),
      contrast_share: ofPatches(now.contrast_share),
      low_resolution_share: ofPatches(now.low_resolution_share),
      inverted_gamma_share: ofPatches(now.inverted_gamma_share),
      gamma_share: ofPatches(now.gamma_share),
    };
    return { ...recipe, augmentation };
  };
}

/** All changes that there are: of a choice of Table 1 (paper), of what the paper's space does not have, and of the recipe. */
export const changes: readonly Change[] = [
  { name: 'dilation-2', gene: 'dilation', what: 'dilation 2 at all levels', network: (one) => dilated(one, 2) },
  { name: 'dilation-3', gene: 'dilation', what: 'dilation 3 at all levels', network: (one) => dilated(one, 3) },
  { name: 'relu', gene: 'activation', what: 'ReLU at all levels', network: blocks({ activation: 'relu' }) },
  { name: 'elu', gene: 'activation', what: 'ELU at all levels', network: blocks({ activation: 'elu' }) },
  {
    name: 'skips-all',
    gene: 'skips',
    what: 'every encoder level added to every decoder level',
    network: skips(() => allSkips),
  },
  { name: 'skips-none', gene: 'skips', what: 'no skips', network: skips(() => []) },
  {
    name: 'pool-plane-less',
    gene: 'pool_plane',
    what: 'no pooling within the plane before the lowest level',
    network: (one) => pooled(one, one.encoder.length - 1, { plane: 1 }),
  },
  {
    name: 'pool-depth-more',
    gene: 'pool_depth',
    what: 'depth pooled once more, as early as can be',
    network: pooledInDepth,
  },
  {
    name: 'pool-depth-less',
    gene: 'pool_depth',
    what: 'depth pooled once less, the first time',
    network: (one) =>
      pooled(
        one,
        one.encoder.findIndex(({ pool }) => pool.depth === 2),
        { depth: 1 },
      ),
  },
  {
    name: 'patch-half',
    gene: 'patch',
    what: 'patches of half the height and width, four in a batch',
    network: smallerPatch,
  },
  {
    name: 'residual-encoder',
    gene: 'residual',
    what: "shortcuts around the encoder's blocks",
    network: (one) => ({ ...one, encoder: one.encoder.map((level) => ({ ...level, residual: true })) }),
  },
  { name: 'residual', gene: 'residual', what: 'shortcuts around all blocks', network: blocks({ residual: true }) },
  {
    name: 'convolutions-1',
    gene: 'convolutions',
    what: 'one convolution a block',
    network: blocks({ convolutions: 1 }),
  },
  {
    name: 'convolutions-3',
    gene: 'convolutions',
    what: 'three convolutions a block',
    network: blocks({ convolutions: 3 }),
  },
  { name: 'kernels-deep', gene: 'kernels', what: '3x3x3 kernels at all levels', network: flatUntil(0) },
  { name: 'kernels-flat', gene: 'kernels', what: '1x3x3 kernels at all levels', network: flatUntil(levels) },
  { name: 'width-0.75', gene: 'width', what: '0.75 times the width', network: ofWidth(0.75) },
  { name: 'width-1.5', gene: 'width', what: '1.5 times the width', network: ofWidth(1.5) },
  { name: 'width-2', gene: 'width', what: 'twice the width', network: ofWidth(2) },
  {
    name: 'rate-third',
    gene: 'rate',
    what: 'a third of the learning rate',
    recipe: training(({ learning_rate: rate }) => ({ learning_rate: rate / 3 })),
  },
  {
    name: 'rate-3',
    gene: 'rate',
    what: 'three times the learning rate',
    recipe: training(({ learning_rate: rate }) => ({ learning_rate: 3 * rate })),
  },
  {
    name: 'decay-10',
    gene: 'decay',
    what: 'ten times the weight decay',
    recipe: training(({ weight_decay: decay }) => ({ weight_decay: 10 * decay })),
  },
  {
    name: 'decay-100',
    gene: 'decay',
    what: 'a hundred times the weight decay',
    recipe: training(({ weight_decay: decay }) => ({ weight_decay: 100 * decay })),
  },
  {
    name: 'foreground-none',
    gene: 'foreground',
    what: 'no patch meant to be around a label',
    recipe: training(() => ({ foreground_every: null })),
  },
  {
    name: 'foreground-more',
    gene: 'foreground',
    what: 'two of three patches around a label',
    recipe: training(() => ({ foreground_every: 1.5 })),
  },
  {
    name: 'drop-path-none',
    gene: 'drop_path',
    what: 'no skip left out in training',
    recipe: training(() => ({ drop_path: 0 })),
  },
  {
    name: 'drop-path-more',
    gene: 'drop_path',
    what: '0.3 of the skips left out',
    recipe: training(() => ({ drop_path: 0.3 })),
  },
  { name: 'dice-loss', gene: 'loss', what: 'Dice alone as the loss', recipe: training(() => ({ loss: 'dice' })) },
  {
    name: 'batch-any',
    gene: 'batch',
    what: 'patches of any cases in a batch',
    recipe: training(() => ({ batch_cases: 'any' })),
  },
  { name: 'augment', gene: 'augmentation', what: 'augmented from the start', augment: 'on' },
  { name: 'augment-none', gene: 'augmentation', what: 'not augmented', augment: 'off' },
  {
    name: 'augment-half',
    gene: 'augmentation',
    what: 'augmented from the start, half as often',
    augment: 'on',
    recipe: augmented(0.5),
  },
  {
    name: 'augment-2',
    gene: 'augmentation',
    what: 'augmented from the start, twice as often',
    augment: 'on',
    recipe: augmented(2),
  },
  {
    name: 'augment-unturned',
    gene: 'augmentation',
    what: 'augmented from the start, without rotation and scaling',
    augment: 'on',
    recipe: section('augmentation', { spatial: 0, spatial_in_plane: 0 }),
  },
  {
    name: 'flip-all',
    gene: 'flip',
    what: 'patches mirrored along all axes',
    recipe: section('augmentation', { flip_axes: axes }),
  },
  {
    name: 'windows',
    gene: 'windows',
    what: "prediction by windows of the patch's size, not of whole volumes",
    recipe: section('inference', { window: 'patch' }),
  },
  {
    name: 'spacing-1.5',
    gene: 'spacing',
    what: '1.5 times the finest spacing',
    recipe: section('preparation', { coarsening: 1.5 }),
  },
  {
    name: 'spacing-2',
    gene: 'spacing',
    what: 'twice the finest spacing',
    recipe: section('preparation', { coarsening: 2 }),
  },
  {
    name: 'coarse-none',
    gene: 'coarse',
    what: 'no part at half the resolution',
    recipe: section('search', { coarse_share: 0 }),
  },
  {
    name: 'coarse-more',
    gene: 'coarse',
    what: '0.75 at half the resolution',
    recipe: section('search', { coarse_share: 0.75 }),
  },
];
