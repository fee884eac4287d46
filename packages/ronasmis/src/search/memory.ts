import { freeMemoryBytes, limitTensorBytes } from '@ronasmis/libtorch';
import type { Architecture, ChildArchitecture, OwnArchitecture } from '../architecture/architecture.ts';
import { type NetworkDimensions, networkDimensions, type ThickSlices } from '../architecture/dimensions.ts';
import { patchOf } from '../architecture/patch.ts';
import { UserError } from '../base/errors.ts';
import { type Triple, voxelsOf } from '../base/geometry.ts';
import type { CaseSplit } from '../data/folds.ts';
import { type ComputeDevice, dataTypeOf, type Precision } from '../engine/device.ts';
import { bytesBesidePass } from '../inference/beside-pass.ts';
import { looksOf } from '../inference/tiles.ts';
import { passBytes } from '../network/memory.ts';
import type { Network } from '../network/network.ts';
import { networkOf, parametersOf } from '../network/of-architecture.ts';
import { elementCount } from '../network/parameters.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import { isResampled, type PreparedCase } from '../preparation/prepare.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { formatBytes } from '../report/format.ts';
import { patchVoxelCounts } from '../space/macro.ts';
import type { SpaceName } from '../space/names.ts';
import type { SearchSpace } from '../space/space.ts';
import { type CreateSpace, createSpace } from '../space/spaces.ts';
import { batchShape } from './batch-shape.ts';
import {
  batchesAtOnce,
  composedLossBytes,
  passFactor,
  processBytes,
  reservedBytes,
  safetyFactor,
  shareOfCases,
  shareOfFree,
  weightCopies,
} from './constants.ts';
import { evaluatedTogether } from './device-batches.ts';
import { mayJoin } from './joining.ts';
import { coarseDownsampling } from './resolution.ts';

/** What a search needs memory for. */
export interface MemoryDemands extends ThickSlices {
  readonly space: SpaceName | CreateSpace;
  /** The one network that is trained; children of the space where it is left out. */
  readonly architecture?: Architecture;
  readonly device: ComputeDevice;
  readonly precision: Precision;
  readonly recipe: Recipe;
  /** Median depth, height and width of the scans at the data set's spacing, in voxels. */
  readonly volume: Triple;
  readonly inputChannels: number;
  readonly classes: number;
  /** Whether labels have ignored voxels, of which the fused loss knows nothing. */
  readonly hasIgnored: boolean;
  readonly cases: readonly PreparedCase[];
  readonly split: CaseSplit;
}

/** How a search keeps within its memory. */
export interface MemoryPlan {
  readonly dimensions: NetworkDimensions;
  /** What memory leaves of it; undefined where one network is trained that belongs to no space. */
  readonly space: SearchSpace | undefined;
  /** Voxels of the largest patch, or of the batch that a network says itself. */
  readonly batchVoxels: number;
  /** Of the networks that are trained, the most demanding one, and the one that durations are measured with. */
  readonly largest: Architecture;
  readonly base: Architecture;
  /** The most bytes that a search of this child alone takes: of the process, or of a GPU. */
  readonly bytesFor: (child: Architecture) => number;
  /** What the process takes beside its tensors; 0 where a GPU's memory is meant. */
  readonly hostBytes: number;
  /** What was made smaller than usual, in sentences. */
  readonly concessions: readonly string[];
}

/** The memory that a search keeps to where it is not told. */
export function defaultMemoryBytes(device: ComputeDevice): number {
  return Math.floor(shareOfFree * freeMemoryBytes(device));
}

/** What prepared cases may take of a budget; nothing but the machine limits them where a GPU's memory is meant. */
export function caseBytesWithin(budgetBytes: number, device: ComputeDevice): number {
  return device === 'cuda' ? shareOfFree * freeMemoryBytes('cpu') : shareOfCases * budgetBytes;
}

/**
 * Finds what fits into a budget: of networks of the usual width, else half as wide and so on, the largest patch with which the base child
 * can be trained, and evaluated on the largest scan. Of the space, it leaves the children that fit as well.
 *
 * @param budgetBytes of the process, or of a GPU's memory
 * @throws UserError where it does not even suffice for the smallest
 */
export function planMemory(budgetBytes: number, demands: MemoryDemands): MemoryPlan {
  const { architecture: alone } = demands;
  return alone?.kind === undefined ? planSpace(budgetBytes, demands, alone) : planNetwork(budgetBytes, demands, alone);
}

/** The plan of a search, or of the training of a child alone: widths and patches are tried until memory suffices. */
export function planSpace(
  budgetBytes: number,
  demands: MemoryDemands,
  alone?: ChildArchitecture,
): MemoryPlan & { readonly space: SearchSpace } {
  const usableBytes = budgetBytes - reservedBytes;
  const counts = patchVoxelCounts(demands.volume);
  const { recipe, unpooledLevels } = demands;
  const { widths } = recipe.network;
  const candidates = widths.flatMap((width) =>
    counts.map((patchVoxels) => candidate(demands, alone, { width, patchVoxels })),
  );
  const chosen = candidates.find(({ neededBytes }) => neededBytes <= usableBytes);
  if (!chosen) throw tooSmall(budgetBytes, Math.min(...candidates.map(({ neededBytes }) => neededBytes)), alone);
  const { width, patchVoxels, batchVoxels, dimensions, bytesFor } = chosen;
  const isAmple = Math.max(...demandingChildren(chosen.space).map(bytesFor)) * safetyFactor <= usableBytes;
  const fits = (child: ChildArchitecture): boolean => bytesFor(child) <= usableBytes;
  const space = isAmple
    ? chosen.space
    : createSpace(demands.space, demands.volume, dimensions, {
        patchVoxels,
        unpooledLevels,
        fits,
        recipe: recipe.space,
      });
  return {
    dimensions,
    space,
    batchVoxels: voxelsOf(patchOf(space.base)),
    largest: alone ?? space.largest,
    base: alone ?? space.base,
    bytesFor,
    hostBytes: hostBytes(demands, batchVoxels),
    concessions: concessions(budgetBytes, space, {
      width,
      widest: widths[0],
      isSmaller: alone === undefined && patchVoxels < counts[0],
    }),
  };
}

/** The plan of a network that says itself how wide it is and what it is trained on: memory suffices for it or not. */
function planNetwork(budgetBytes: number, demands: MemoryDemands, alone: OwnArchitecture): MemoryPlan {
  const { inputChannels, classes, flatLevels, recipe } = demands;
  const dimensions = { inputChannels, classes, flatLevels, channels: alone.features };
  const batchVoxels = alone.batch * voxelsOf(patchOf(alone));
  const weightBytes = 4 * elementCount(parametersOf([alone], dimensions, recipe.network));
  const bytesFor = predictor(demands, dimensions, { batchVoxels, weightBytes });
  const neededBytes = bytesFor(alone);
  if (neededBytes > budgetBytes - reservedBytes) throw tooSmall(budgetBytes, neededBytes, alone);
  return {
    dimensions,
    space: undefined,
    batchVoxels,
    largest: alone,
    base: alone,
    bytesFor,
    hostBytes: hostBytes(demands, batchVoxels),
    concessions: [],
  };
}

function candidate(
  demands: MemoryDemands,
  alone: ChildArchitecture | undefined,
  { width, patchVoxels }: { readonly width: number; readonly patchVoxels: number },
) {
  const { recipe, unpooledLevels } = demands;
  const dimensions = networkDimensions(demands.inputChannels, demands.classes, demands.flatLevels, {
    width,
    widening: recipe.network.widening,
  });
  const space = createSpace(demands.space, demands.volume, dimensions, {
    patchVoxels,
    unpooledLevels,
    recipe: recipe.space,
  });
  const batchVoxels = Math.max(patchVoxels, alone ? voxelsOf(patchOf(alone)) : 0);
  const parameters = parametersOf(alone ? [alone] : space.covering, dimensions, recipe.network);
  const weightBytes = 4 * elementCount(parameters);
  const downsampling = coarseDownsampling((alone ?? space.base).patch, dimensions, recipe.search);
  const beside = alone === undefined && mayJoin({ recipe, downsampling, space }) ? downsampling : undefined;
  const bytesFor = predictor(demands, dimensions, { batchVoxels, weightBytes, beside });
  return { width, patchVoxels, batchVoxels, dimensions, space, bytesFor, neededBytes: bytesFor(alone ?? space.base) };
}

function tooSmall(budgetBytes: number, neededBytes: number, alone: Architecture | undefined): UserError {
  const sufficient = Math.ceil((1.05 * neededBytes + reservedBytes) / 2 ** 20);
  return new UserError(
    `${formatBytes(budgetBytes)} of memory (--memory, or 80 % of what is free) is too small: with these scans, ${alone ? 'this network' : 'the smallest network'} takes ` +
      `about ${formatBytes(neededBytes)}. Give at least --memory ${sufficient}MiB.`,
  );
}

/** Children that take about the most: the one with the most activations, with every dilation. */
function demandingChildren({ largest }: SearchSpace): readonly ChildArchitecture[] {
  if ('cell' in largest) return [largest];
  return ([1, 2, 3] as const).map((dilation) => ({
    ...largest,
    encoder: largest.encoder.map((level) => ({ ...level, dilation })),
    decoder: largest.decoder.map((level) => ({ ...level, dilation })),
  }));
}

/**
 * @param batchVoxels of the base child's patch: other children's batches have about as many, or fewer
 * @param beside the resolution of a coarse network that children may end up joined with
 */
function predictor(
  demands: MemoryDemands,
  dimensions: NetworkDimensions,
  {
    batchVoxels,
    weightBytes,
    beside,
  }: { readonly batchVoxels: number; readonly weightBytes: number; readonly beside?: Downsampling | undefined },
): MemoryPlan['bytesFor'] {
  const { device, precision, cases, split, recipe } = demands;
  const dataType = dataTypeOf[precision];
  const named = (names: readonly string[]): readonly PreparedCase[] => cases.filter(({ name }) => names.includes(name));
  const [validation, test] = [named(split.validation), named(split.test)];
  const groups = [...evaluatedTogether(validation), ...test.map((one) => [one])];

  const elementBytes = dataType === 'float32' ? 4 : 2;
  const onDevice = voxelsOfAll(validation) * (demands.inputChannels * elementBytes + 1);
  const { training } = recipe;
  const isComposed = demands.hasIgnored || training.loss === 'dice';
  const loss = isComposed ? composedLossBytes * dimensions.classes * batchVoxels : 0;
  const copies = weightCopies[training.optimiser] * weightBytes;
  const fixed = copies + onDevice + loss + ownGridBytes(test) + hostBytes(demands, batchVoxels);
  return (child) => {
    const { patch, patches } = batchShape({ batchVoxels }, child);
    const shared = { dataType, device };
    const trained = { ...shared, batch: patches, size: patch, training: true };
    const network = networkOf(child, dimensions);
    // About as large as what a search may end with: a child with itself at half the resolution beside it.
    const joined =
      beside && child.kind === undefined
        ? { ...child, coarse: { downsampling: beside, network: child, fine_share: 0.5 } }
        : child;
    const evaluated = evaluationBytes(demands, child, { network: networkOf(joined, dimensions), groups });
    // A coarse network beside it has weights of its own.
    const besideBytes = joined === child ? 0 : weightBytes;
    return fixed + besideBytes + passFactor * Math.max(passBytes(network, trained), evaluated);
  };
}

/** What the evaluation takes of the most demanding of these groups of cases, each of which is passed at once: as a whole, or in windows of the patch. */
function evaluationBytes(
  { device, precision, recipe: { inference } }: Pick<MemoryDemands, 'device' | 'precision' | 'recipe'>,
  child: Architecture,
  { network, groups }: { readonly network: Network; readonly groups: readonly (readonly PreparedCase[])[] },
): number {
  const { window: tile, region } = looksOf(inference, child);
  const largest = groups.reduce((one, other) => (voxelsOfAll(other) > voxelsOfAll(one) ? other : one));
  const batch = tile ? Math.max(...groups.map(({ length }) => length)) : largest.length;
  const pass = { dataType: dataTypeOf[precision], device, batch, size: tile ?? largest[0].shape, training: false };
  const beside = groups.map(
    (group) => group.length * bytesBesidePass(network, group[0].shape, { tile, region, device, inference }),
  );
  return passBytes(network, pass) + Math.max(...beside);
}

/** What the process takes beside its tensors; nothing where a GPU's memory is meant. */
function hostBytes(
  { device, precision, cases }: Pick<MemoryDemands, 'device' | 'precision' | 'cases'>,
  batchVoxels: number,
): number {
  if (device === 'cuda') return 0;
  const inMemory = cases.filter(({ storage }) => storage.kind === 'memory');
  const bytesPerVoxel = 4 * cases[0].channels + 1;
  return processBytes[precision] + bytesPerVoxel * (voxelsOfAll(inMemory) + batchesAtOnce * batchVoxels);
}

/** A test case that was resampled is compared on its own grid: a byte of a label and one of a segmentation for each voxel. */
function ownGridBytes(test: readonly PreparedCase[]): number {
  return 2 * Math.max(0, ...test.filter(isResampled).map(({ crop }) => voxelsOf(crop.shape)));
}

/** Voxels of these cases together, as they were prepared. */
export function voxelsOfAll(cases: readonly PreparedCase[]): number {
  return cases.reduce((sum, { shape }) => sum + voxelsOf(shape), 0);
}

function concessions(
  budgetBytes: number,
  space: SearchSpace,
  { width, widest, isSmaller }: { readonly width: number; readonly widest: number; readonly isSmaller: boolean },
): readonly string[] {
  const { depth, height, width: across } = space.base.patch;
  const made = [
    ...(isSmaller ? [`patches have at most as many voxels as ${depth} x ${height} x ${across}`] : []),
    ...(width < widest ? [`the network begins with ${width} channels instead of ${widest}`] : []),
  ];
  if (made.length === 0) return [];
  return [`To keep within ${formatBytes(budgetBytes)} of memory, ${made.join(', and ')}.`];
}

/** Makes an operation that would take a processor's tensors beyond the budget fail, before the system would kill the process. */
export function limitMemory(budgetBytes: number, device: ComputeDevice, { hostBytes }: MemoryPlan): void {
  if (device === 'cpu') limitTensorBytes(budgetBytes - reservedBytes - hostBytes);
}
