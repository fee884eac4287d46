// Tensors in plain JavaScript: as much of libtorch's package as segmenting a scan calls beside the network itself, under the same names. The
// build puts this in place of `@ronasmis/libtorch`, so that the page runs the modules that `predict` runs.

type Values = Float32Array | Uint8Array;
type DataType = 'float32' | 'float16' | 'uint8';

/** Numbers in a box of any number of axes: contiguous, or a view into those of another tensor. */
export class Tensor {
  readonly values: Values;
  readonly shape: readonly number[];
  /** Distance between neighbours of each axis, in elements; negative where a view runs backwards. */
  readonly strides: readonly number[];
  /** Of the first element. */
  readonly offset: number;
  readonly device = 'cpu';

  constructor(values: Values, shape: readonly number[], strides = contiguous(shape), offset = 0) {
    this.values = values;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
  }

  get dataType(): DataType {
    return this.values instanceof Uint8Array ? 'uint8' : 'float32';
  }

  /** The elements in row-major order, in an array of their own. */
  toArray(): Values {
    const copy = emptyLike(this.values, count(this.shape));
    let to = 0;
    forRows(this, (from, step, length) => {
      for (let i = 0; i < length; i++) copy[to++] = this.values[from + i * step];
    });
    return copy;
  }
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

const emptyLike = (values: Values, length: number): Values =>
  values instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);

function contiguous(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => count(shape.slice(axis + 1)));
}

/** Visits the rows (of the last axis) of a tensor in their order: where each begins, the distance between its elements, and how many there are. */
export function forRows(
  { shape, strides, offset }: Pick<Tensor, 'shape' | 'strides' | 'offset'>,
  visit: (from: number, step: number, length: number) => void,
): void {
  const last = shape.length - 1;
  const walk = (axis: number, at: number): void => {
    if (axis >= last) {
      visit(at, strides[last], shape[last]);
      return;
    }
    for (let i = 0; i < shape[axis]; i++) walk(axis + 1, at + i * strides[axis]);
  };
  walk(0, offset);
}

/** Nothing has to be freed here: the garbage collector sees all of it. */
export const scope = <Result>(body: () => Result): Result => body();

/** Nothing has a gradient here. */
export const noGradient = <Result>(body: () => Result): Result => body();

/** A tensor of these values, which it may share: nothing writes into what it was given. */
export const tensor = (values: Values, shape: readonly number[]): Tensor => new Tensor(values, shape);

/** A tensor of zeros, float32. */
export const zeros = (shape: readonly number[]): Tensor => new Tensor(new Float32Array(count(shape)), shape);

/** The same values, of another type, or in memory of their own. Layouts and devices there are none but one. */
export function to(
  input: Tensor,
  { dataType = input.dataType, copy = false }: { readonly dataType?: DataType; readonly copy?: boolean },
): Tensor {
  const isContiguous = input.offset === 0 && String(input.strides) === String(contiguous(input.shape));
  const isSame = dataType === input.dataType;
  if (isSame && isContiguous && !copy) return input;
  const values = input.toArray();
  if (isSame) return new Tensor(values, input.shape);
  if (dataType === 'uint8') return new Tensor(Uint8Array.from(values), input.shape);
  const wide = Float32Array.from(values);
  return new Tensor(dataType === 'float16' ? wide.map(halfPrecision) : wide, input.shape);
}

/** The smallest number of float16 that has all of its digits, and the largest of all. */
const [smallestNormal, largestHalf] = [2 ** -14, 65_504];

/** The nearest number that float16 has, of two that are equally near the even one. JavaScript has no array for float16: it stays in a float32. */
function halfPrecision(value: number): number {
  const size = Math.abs(value);
  const step = 2 ** (Math.floor(Math.log2(Math.max(size, smallestNormal))) - 10);
  const steps = size / step;
  const below = Math.floor(steps);
  const isUp = steps - below > 0.5 || (steps - below === 0.5 && below % 2 === 1);
  const rounded = (below + (isUp ? 1 : 0)) * step;
  return Math.sign(value) * (rounded > largestHalf ? Number.POSITIVE_INFINITY : rounded);
}

/** A part of an axis, as a view. */
export function narrow(input: Tensor, axis: number, start: number, length: number): Tensor {
  const shape = input.shape.map((size, at) => (at === axis ? length : size));
  return new Tensor(input.values, shape, input.strides, input.offset + start * input.strides[axis]);
}

/** Some axes backwards, as a view: libtorch copies here, and nothing tells the difference, for nothing is written into it. */
export function flip(input: Tensor, axes: readonly number[]): Tensor {
  const strides = input.strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
  const offset = axes.reduce((sum, axis) => sum + (input.shape[axis] - 1) * input.strides[axis], input.offset);
  return new Tensor(input.values, input.shape, strides, offset);
}

/** Zeros around a tensor: how many before and behind each axis, the last axis first. */
export function pad(input: Tensor, margins: readonly number[]): Tensor {
  const at = (axis: number): number => 2 * (input.shape.length - 1 - axis);
  const before = input.shape.map((_, axis) => margins[at(axis)] ?? 0);
  const padded = new Tensor(
    emptyLike(input.values, count(input.shape.map((size, axis) => size + before[axis] + (margins[at(axis) + 1] ?? 0)))),
    input.shape.map((size, axis) => size + before[axis] + (margins[at(axis) + 1] ?? 0)),
  );
  const inside = before.reduce((box, start, axis) => narrow(box, axis, start, input.shape[axis]), padded);
  const values = input.toArray();
  let from = 0;
  forRows(inside, (row, step, length) => {
    for (let i = 0; i < length; i++) padded.values[row + i * step] = values[from++];
  });
  return padded;
}
