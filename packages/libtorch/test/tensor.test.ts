import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addInPlace,
  contiguous,
  expand,
  fillInPlace,
  memory,
  permute,
  reinterpret,
  scope,
  slice,
  type TensorArray,
  tensor,
  to,
  view,
  zeros,
} from '../src/index.ts';

const arrays: readonly (readonly [string, TensorArray])[] = [
  ['float32', Float32Array.of(0, -1.5, 3e38, Number.NaN, Number.POSITIVE_INFINITY, 1e-45)],
  ['float64', Float64Array.of(0, -1.5, 1e308, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324)],
  ['int64', BigInt64Array.of(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 7n)],
  ['int32', Int32Array.of(0, -1, 2147483647, -2147483648, 5, 6)],
  ['int16', Int16Array.of(0, -1, 32767, -32768, 5, 6)],
  ['uint8', Uint8Array.of(0, 1, 127, 128, 254, 255)],
];

describe('typed arrays', () => {
  test.each(arrays)('%s comes back as it went, copied or shared', (dataType, array) => {
    for (const share of [false, true]) {
      const made = tensor(array, [2, 3], { share });
      expect(made.dataType).toBe(dataType);
      expect(made.shape).toEqual([2, 3]);
      expect(made.strides).toEqual([3, 1]);
      expect(made.byteLength).toBe(array.byteLength);
      expect(made.device).toBe('cpu');
      expect(made.toArray()).toEqual(array);
    }
  });

  test('any floats and shapes come back', () => {
    const values = fc.array(fc.float(), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, (numbers) => {
        const array = Float32Array.from(numbers);
        expect(scope(() => tensor(array, [1, array.length, 1]).toArray())).toEqual(array);
      }),
    );
  });

  test('a copy is a copy, a shared array sees what the tensor is told, and the other way round', () => {
    const array = Float32Array.of(1, 2);
    const copy = tensor(array, [2]);
    const shared = tensor(array, [2], { share: true });
    fillInPlace(shared, 5);
    expect([...array]).toEqual([5, 5]);
    array[0] = 9;
    expect(shared.toNumbers()).toEqual([9, 5]);
    expect(copy.toNumbers()).toEqual([1, 2]);
  });

  test('a shared array of several threads and a part of a larger array can be shared', () => {
    const array = new Float32Array(new SharedArrayBuffer(16)).fill(3);
    expect(tensor(array, [4], { share: true }).toNumbers()).toEqual([3, 3, 3, 3]);
    const part = Float32Array.of(0, 1, 2, 3).subarray(1, 3);
    expect(tensor(part, [2], { share: true }).toNumbers()).toEqual([1, 2]);
    expect(tensor(part, [2]).toNumbers()).toEqual([1, 2]);
  });

  test('scalars and empty tensors', () => {
    expect(tensor(Float32Array.of(7), []).item()).toBe(7);
    expect(tensor(new Float32Array(0), [0, 3], { share: true }).shape).toEqual([0, 3]);
    expect(tensor(new Float32Array(0), [0, 3]).toNumbers()).toEqual([]);
  });

  test('booleans are read as bytes; bfloat16 asks to be converted', () => {
    expect(to(tensor(Float32Array.of(0, 2, -1), [3]), { dataType: 'bool' }).toArray()).toEqual(Uint8Array.of(0, 1, 1));
    const small = to(tensor(Float32Array.of(1), [1]), { dataType: 'bfloat16' });
    expect(() => small.toArray()).toThrow('convert the tensor to float32 first');
    // 1 as bfloat16: the upper half of the float32 0x3f800000.
    expect(reinterpret(small, 'int16').toNumbers()).toEqual([0x3f80]);
  });

  test('a shape that does not fit is an error', () => {
    const array = new Float32Array(6);
    for (const shape of [[5], [2, -3], [1.5, 4], [Number.NaN], [2 ** 40, 2 ** 40], [6, 0]]) {
      expect(() => tensor(array, shape)).toThrow(/shape|size/);
    }
  });
});

describe('views', () => {
  test('views share memory and have their own strides', () => {
    const base = tensor(
      Float32Array.from({ length: 6 }, (_, i) => i),
      [2, 3],
    );
    const turned = permute(base, [1, 0]);
    expect(turned.strides).toEqual([1, 3]);
    expect(turned.toNumbers()).toEqual([0, 3, 1, 4, 2, 5]);
    addInPlace(view(base, [6]), tensor(Float32Array.of(10), [1]));
    expect(turned.toNumbers()).toEqual([10, 13, 11, 14, 12, 15]);
    expect(slice(base, 1, { step: 2 }).toNumbers()).toEqual([10, 12, 13, 15]);
    expect(expand(tensor(Float32Array.of(1, 2), [2, 1]), [2, 2]).toNumbers()).toEqual([1, 1, 2, 2]);
  });

  test('a view outlives the tensor that it looks at', () => {
    const base = tensor(Float32Array.of(1, 2, 3, 4), [4]);
    const part = slice(base, 0, { start: 2 });
    base.free();
    expect(part.toNumbers()).toEqual([3, 4]);
  });

  test('memory formats change strides, not values', () => {
    const values = Float32Array.from({ length: 48 }, (_, i) => i);
    const volume = tensor(values, [1, 2, 2, 3, 4]);
    const last = contiguous(volume, { memoryFormat: 'channels_last_3d' });
    expect(last.strides).toEqual([48, 1, 24, 8, 2]);
    expect(last.toArray()).toEqual(values);
    const plane = contiguous(view(volume, [2, 2, 3, 4]), { memoryFormat: 'channels_last' });
    expect(plane.strides).toEqual([24, 1, 8, 2]);
  });
});

test('bytes count a storage once, however many views it has', () => {
  scope(() => {
    const before = memory();
    const base = zeros([1024]);
    view(base, [32, 32]);
    expect(memory()).toEqual({ tensors: before.tensors + 2, bytes: before.bytes + 4096 });
  });
});
