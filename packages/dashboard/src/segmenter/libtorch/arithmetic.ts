import { forRows, Tensor } from './tensor.ts';

/** A tensor as if it had another's shape: axes of one element, and axes that it lacks in front, are repeated. */
function expand(input: Tensor, shape: readonly number[]): Tensor {
  const missing = shape.length - input.shape.length;
  const strides = shape.map((_, axis) =>
    axis < missing || input.shape[axis - missing] === 1 ? 0 : input.strides[axis - missing],
  );
  return new Tensor(input.values, shape, strides, input.offset);
}

/** Where the rows of a tensor begin, and the distance between the elements of each. */
function rowsOf(input: Tensor): { readonly starts: readonly number[]; readonly step: number } {
  const starts: number[] = [];
  forRows(input, (from) => starts.push(from));
  return { starts, step: input.strides[input.strides.length - 1] };
}

/** Puts something of each element and of its counterpart in place of the element. */
function change(input: Tensor, other: Tensor, of: (one: number, other: number) => number): void {
  const { starts, step } = rowsOf(expand(other, input.shape));
  let row = 0;
  forRows(input, (from, own, length) => {
    const start = starts[row++];
    for (let i = 0; i < length; i++) {
      const at = from + i * own;
      input.values[at] = of(input.values[at], other.values[start + i * step]);
    }
  });
}

const copyOf = (input: Tensor): Tensor => new Tensor(input.toArray(), input.shape);

/** Adds a tensor to another one, which is changed. */
export const addInPlace = (input: Tensor, other: Tensor): void => change(input, other, (one, two) => one + two);

/** The product with a tensor whose axes may be 1 where those of the other are not. */
export function multiply(input: Tensor, other: Tensor): Tensor {
  const product = copyOf(input);
  change(product, other, (one, two) => one * two);
  return product;
}

/** Multiplies all of a tensor by a number. */
export function multiplyInPlace(input: Tensor, factor: number): void {
  change(input, new Tensor(Float32Array.of(factor), [1]), (one, two) => one * two);
}

/** The quotient by a tensor whose axes may be 1 where those of the other are not. */
export function divide(input: Tensor, other: Tensor): Tensor {
  const quotient = copyOf(input);
  change(quotient, other, (one, two) => one / two);
  return quotient;
}
