import { emptyCache, freeMemoryBytes, isOutOfMemory, limitTensorBytes } from '@ronasmis/libtorch';
import type { Architecture } from '../architecture/architecture.ts';
import { type NetworkDimensions, networkDimensions } from '../architecture/dimensions.ts';
import { UserError } from '../base/errors.ts';
import { voxelsOf } from '../base/geometry.ts';
import type { CaseSplit } from '../data/folds.ts';
import { type ComputeDevice, dataTypeOf, type Precision } from '../engine/device.ts';
import { childNetwork } from '../network/child.ts';
import { passBytes } from '../network/memory.ts';
import { elementCount, sharedParameters } from '../network/parameters.ts';
import { isResampled, type PreparedCase } from '../preparation/prepare.ts';
import { formatBytes } from '../report/format.ts';
import { patchVoxelCounts } from '../space/macro.ts';
import type { SearchSpace } from '../space/space.ts';
import { type CreateSpace, createSpace, type SpaceName, spaceOfOne } from '../space/spaces.ts';
import { judgedTogether } from './judging.ts';

/** What a search needs memory for. */
export interface MemoryDemands {
  readonly space: SpaceName | CreateSpace;
  readonly onlyChild?: Architecture;
  readonly device: ComputeDevice;
  readonly precision: Precision;
  /** Median depth, height and width of the scans at the data set's spacing, in voxels. */
  readonly volume: readonly [number, number, number];
  readonly inputChannels: number;
  readonly classes: number;
  /** Levels whose kernels are 1x3x3. */
  readonly flatLevels: number;
  /** Whether labels have ignored voxels, of which the fused loss knows nothing. */
  readonly hasIgnored: boolean;
  readonly cases: readonly PreparedCase[];
  readonly split: CaseSplit;
}

/** How a search keeps within its memory. */
export interface MemoryPlan {
  readonly dimensions: NetworkDimensions;
  readonly space: SearchSpace;
  /** The most bytes that a search of this child alone takes: of the process, or of a GPU. */
  readonly bytesFor: (child: Architecture) => number;
  /** What the process takes beside its tensors; 0 where a GPU's memory is meant. */
  readonly hostBytes: number;
  /** What was made smaller than usual, in sentences. */
  readonly concessions: readonly string[];
}

/**
 * What Node, libtorch, reading the scans, the batches' thread and the controller take in a process, measured. In bfloat16, what oneDNN
 * compiles comes to it.
 */
const processBytes = { fp32: 305 * 2 ** 20, bf16: 380 * 2 ** 20, fp16: 380 * 2 ** 20 } as const;
/** Of a budget, what is left for what grows as a search goes on: JavaScript's heap, oneDNN's kernels, the report. */
const reservedBytes = 84 * 2 ** 20;
/** What small tensors and work space add to a pass at most, measured. */
const passFactor = 1.03;
/** What the loss by libtorch's operations takes for a class and voxel: 34 to 42 bytes at full resolution, measured, and its coarser levels. */
const composedLossBytes = 64;
/** Batches whose arrays exist at once: one in use, one that is being made. */
const batchesAtOnce = 2;
/** Copies of the float32 weights: themselves, their average and Adam's two moments; the gradients count to a child's pass. */
const weightCopies = 4;
/** Share of the budget that prepared cases may take before they lie on the disk. */
const shareOfCases = 1 / 3;
/** Share of what is free that a search takes where no budget is given. */
const shareOfFree = 0.8;
/** Channels of the full resolution that are tried, the best first. */
const widths = [16, 8, 4] as const;
/** Where the largest child comes nearer to the budget than this, every child is checked. */
const safetyFactor = 1.1;

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
 * can be trained, and judged on the largest scan. Of the space, it leaves the children that fit as well.
 *
 * @param budgetBytes of the process, or of a GPU's memory
 * @throws UserError where it does not even suffice for the smallest
 */
export function planMemory(budgetBytes: number, demands: MemoryDemands): MemoryPlan {
  const usableBytes = budgetBytes - reservedBytes;
  const counts = patchVoxelCounts(demands.volume);
  const candidates = widths.flatMap((width) => counts.map((patchVoxels) => candidate(demands, width, patchVoxels)));
  const chosen = candidates.find(({ neededBytes }) => neededBytes <= usableBytes);
  if (!chosen) throw tooSmall(budgetBytes, Math.min(...candidates.map(({ neededBytes }) => neededBytes)));
  const { width, patchVoxels, dimensions, bytesFor } = chosen;
  const isAmple = Math.max(...demandingChildren(chosen.space).map(bytesFor)) * safetyFactor <= usableBytes;
  const fits = (child: Architecture): boolean => bytesFor(child) <= usableBytes;
  const space = isAmple ? chosen.space : createSpace(demands.space, demands.volume, dimensions, { patchVoxels, fits });
  return {
    dimensions,
    space: demands.onlyChild ? spaceOfOne(space, demands.onlyChild) : space,
    bytesFor,
    hostBytes: hostBytes(demands, patchVoxels),
    concessions: concessions(budgetBytes, space, { width, isSmaller: patchVoxels < counts[0] }),
  };
}

function candidate(demands: MemoryDemands, width: number, patchVoxels: number) {
  const dimensions = networkDimensions(demands.inputChannels, demands.classes, demands.flatLevels, { width });
  const space = createSpace(demands.space, demands.volume, dimensions, { patchVoxels });
  const covering = space.covering.map((child) => childNetwork(child, dimensions));
  const weightBytes = 4 * elementCount(sharedParameters(covering));
  const bytesFor = predictor(demands, dimensions, { patchVoxels, weightBytes });
  return { width, patchVoxels, dimensions, space, bytesFor, neededBytes: bytesFor(demands.onlyChild ?? space.base) };
}

function tooSmall(budgetBytes: number, neededBytes: number): UserError {
  const sufficient = Math.ceil((1.05 * neededBytes + reservedBytes) / 2 ** 20);
  return new UserError(
    `${formatBytes(budgetBytes)} of memory (--memory, or 80 % of what is free) is too small: with these scans, the smallest network takes ` +
      `about ${formatBytes(neededBytes)}. Give at least --memory ${sufficient}MiB.`,
  );
}

/** Children that take about the most: the one with the most activations, with every dilation. */
function demandingChildren({ largest }: SearchSpace): readonly Architecture[] {
  if ('cell' in largest) return [largest];
  return ([1, 2, 3] as const).map((dilation) => ({
    ...largest,
    encoder: largest.encoder.map((level) => ({ ...level, dilation })),
    decoder: largest.decoder.map((level) => ({ ...level, dilation })),
  }));
}

/** @param patchVoxels of the base child: other children's batches have about as many voxels, or fewer */
function predictor(
  demands: MemoryDemands,
  dimensions: NetworkDimensions,
  { patchVoxels, weightBytes }: { readonly patchVoxels: number; readonly weightBytes: number },
): MemoryPlan['bytesFor'] {
  const { device, precision, cases, split } = demands;
  const dataType = dataTypeOf[precision];
  const named = (names: readonly string[]): readonly PreparedCase[] => cases.filter(({ name }) => names.includes(name));
  const [validation, test] = [named(split.validation), named(split.test)];
  const groups = [...judgedTogether(validation), ...test.map((one) => [one])];
  const largest = groups.reduce((one, other) => (voxelsOfAll(other) > voxelsOfAll(one) ? other : one));

  const elementBytes = dataType === 'float32' ? 4 : 2;
  const onDevice = voxelsOfAll(validation) * (demands.inputChannels * elementBytes + 1);
  const loss = demands.hasIgnored ? composedLossBytes * dimensions.classes * patchVoxels : 0;
  const fixed = weightCopies * weightBytes + onDevice + loss + ownGridBytes(test) + hostBytes(demands, patchVoxels);
  return (child) => {
    const { depth, height, width } = child.patch;
    const batch = Math.max(1, Math.floor(patchVoxels / (depth * height * width)));
    const shared = { dataType, device };
    const trained = { ...shared, batch, size: [depth, height, width] as const, training: true };
    const judged = { ...shared, batch: largest.length, size: largest[0].shape, training: false };
    const network = childNetwork(child, dimensions);
    return fixed + passFactor * Math.max(...[trained, judged].map((pass) => passBytes(network, pass)));
  };
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
  { width, isSmaller }: { readonly width: number; readonly isSmaller: boolean },
): readonly string[] {
  const { depth, height, width: across } = space.base.patch;
  const made = [
    ...(isSmaller ? [`patches have at most as many voxels as ${depth} x ${height} x ${across}`] : []),
    ...(width < widths[0] ? [`the network begins with ${width} channels instead of ${widths[0]}`] : []),
  ];
  if (made.length === 0) return [];
  return [`To keep within ${formatBytes(budgetBytes)} of memory, ${made.join(', and ')}.`];
}

/** Makes an operation that would take a processor's tensors beyond the budget fail, before the system would kill the process. */
export function limitMemory(budgetBytes: number, device: ComputeDevice, { hostBytes }: MemoryPlan): void {
  if (device === 'cpu') limitTensorBytes(budgetBytes - reservedBytes - hostBytes);
}

/**
 * Runs what needs a child's memory. Where it does not suffice after all, what was left for later tensors is given back and the result is
 * undefined.
 */
export function whereMemorySuffices<Result>(device: ComputeDevice, body: () => Result): Result | undefined {
  try {
    return body();
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    emptyCache(device);
    return undefined;
  }
}
