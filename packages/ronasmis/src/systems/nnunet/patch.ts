import { axiswise, product, roundHalfToEven } from './arithmetic.ts';
import { divisorsOf, type Topology, topologyFor } from './topology.ts';

/** As many voxels as a cube, or square, of this edge has the patch that is begun with, by the number of axes. */
const firstEdge: Readonly<Record<number, number>> = { 2: 2048, 3: 256 };

/**
 * The patch that nnU-Net begins with (`get_plans_for_configuration`): as many millimetres along every axis, more voxels than any memory holds, but not more
 * than the median image.
 * @param spacing of two or three axes, in millimetres
 * @param medianShape voxels of the median image at that spacing
 */
export function firstPatch(spacing: readonly number[], medianShape: readonly number[]): readonly number[] {
  const density = spacing.map((millimetres) => 1 / millimetres);
  const axes = spacing.length;
  const scale = (firstEdge[axes] ** axes / product(density)) ** (1 / axes);
  return axiswise(density, medianShape, (one, most) => Math.min(roundHalfToEven(one * scale), most));
}

/**
 * The largest patch that fits, with its topology: while it does not fit, the axis that covers most of the median image is shortened by the smallest step after
 * which the poolings still divide it.
 * @param fits whether a network of this topology fits into the memory
 */
export function fittingTopology(
  spacing: readonly number[],
  medianShape: readonly number[],
  fits: (topology: Topology) => boolean,
): Topology {
  let topology = topologyFor(spacing, firstPatch(spacing, medianShape));
  while (!fits(topology)) topology = topologyFor(spacing, shortened(topology, spacing, medianShape));
  return topology;
}

function shortened(topology: Topology, spacing: readonly number[], medianShape: readonly number[]): readonly number[] {
  const { patch } = topology;
  const covered = axiswise(patch, medianShape, (one, most) => one / most);
  const axis = covered.lastIndexOf(Math.max(...covered));
  const without = (step: number): readonly number[] => patch.map((size, at) => (at === axis ? size - step : size));
  // A shorter patch may be pooled less often, and then smaller steps are possible: 256 is divided by 64, but 224, by 32, lies before 192.
  const next = topologyFor(spacing, without(divisorsOf(topology)[axis]));
  return without(divisorsOf(next)[axis]);
}
