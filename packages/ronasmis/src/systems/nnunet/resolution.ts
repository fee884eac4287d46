import { axiswise, roundHalfToEven } from './arithmetic.ts';

/** The permutation of axes that nnU-Net works in (`determine_transpose`): the one of the coarsest spacing first, the others as they are. */
export function transposition(spacing: readonly number[]): {
  /** Which axis of before each of the axes is. */
  readonly forward: readonly number[];
  readonly backward: readonly number[];
} {
  const coarsest = spacing.indexOf(Math.max(...spacing));
  const forward = [coarsest, ...spacing.flatMap((_, axis) => (axis === coarsest ? [] : [axis]))];
  return { forward, backward: forward.map((_, axis) => forward.indexOf(axis)) };
}

/** One value an axis, in another order of the axes. */
export const transposed = (values: readonly number[], order: readonly number[]): readonly number[] =>
  order.map((axis) => values[axis]);

/** The voxels of an image at another spacing (`compute_new_shape`). */
export const resampledShape = (
  shape: readonly number[],
  spacing: readonly number[],
  target: readonly number[],
): readonly number[] =>
  axiswise(
    axiswise(spacing, target, (from, to) => from / to),
    shape,
    (scale, size) => roundHalfToEven(scale * size),
  );

const spacingStep = 1.03;

/**
 * The next candidate for the spacing of low resolution (`plan_experiment`): axes that are more than twice as fine as the coarsest are made coarser until none is,
 * then all are.
 */
export function coarserSpacing(spacing: readonly number[]): readonly number[] {
  const coarsest = Math.max(...spacing);
  const isFine = spacing.map((millimetres) => coarsest / millimetres > 2);
  return spacing.map((millimetres, axis) =>
    isFine[axis] || !isFine.includes(true) ? millimetres * spacingStep : millimetres,
  );
}
