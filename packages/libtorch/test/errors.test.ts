import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fromSource } from '../../../test/from-source.ts';
import {
  add,
  call,
  conv3d,
  matrixProduct,
  memory,
  ones,
  randn,
  scope,
  Tensor,
  type Value,
  zeros,
} from '../src/index.ts';

const a = ones([2, 3]);
const b = ones([2, 3]);

describe('errors name the operation, the shapes and the cause', () => {
  test('shapes that do not go together', () => {
    expect(() => matrixProduct(a, b)).toThrow(
      /^aten::matmul\(self: float32\[2, 3\], other: float32\[2, 3\]\) failed: .*shapes cannot be multiplied/,
    );
    const message = /^aten::conv3d\(input: float32\[2, 3\], weight: float32\[4, 3, 3, 3, 3\].*\) failed: .*Expected/s;
    expect(() => conv3d(a, zeros([4, 3, 3, 3, 3]))).toThrow(message);
  });

  const wrong: readonly (readonly [string, readonly Value[], string])[] = [
    ['a number for a tensor', [a, 3], "failed: argument 'other' must be a tensor"],
    ['a string for a tensor', [a, 'x'], "argument 'other' must be a tensor"],
    ['null for a tensor', [a, null], "argument 'other' must be given, not null"],
    ['a list for a tensor', [a, [b]], "argument 'other' must be a single value, not a list"],
    ['nothing for a tensor', [a], "argument 'other' is missing"],
    ['a tensor for a number', [a, b, a], "argument 'alpha' must be a number or a boolean"],
    ['too many', [a, b, 1, 1], 'it was given more arguments than its 3'],
  ];
  test.each(wrong)('%s', (_, values, message) => {
    expect(() => call('aten::add', 'Tensor', ...values)).toThrow(message);
  });

  test('numbers that are no integers, data types and devices that are none', () => {
    expect(() => call('aten::zeros', '', [2.5])).toThrow("argument 'size' must be an integer");
    expect(() => call('aten::zeros', '', [2 ** 60])).toThrow("argument 'size' must be an integer");
    expect(() => call('aten::zeros', '', [2], 'float31')).toThrow("'float31' is not a data type");
    expect(() => call('aten::zeros', '', [2], null, null, 'toaster')).toThrow('toaster');
    expect(() => call('aten::clone', '', a, 'sideways')).toThrow("'sideways' is not a memory format");
  });

  test('operations that do not exist', () => {
    expect(() => call('aten::ad', 'Tensor', a, b)).toThrow("libtorch has no operation 'aten::ad.Tensor'");
    expect(() => call('add', '', a, b)).toThrow("libtorch has no operation 'add'");
  });

  test('freed tensors, alone and in lists', () => {
    const freed = ones([1]);
    freed.free();
    expect(() => add(a, freed)).toThrow('was freed');
    expect(() => call('aten::stack', '', [a, freed])).toThrow('was freed');
    expect(() => new Tensor(123)).toThrow('was freed');
    expect(() => new Tensor(Number.NaN)).toThrow('not the handle of a tensor');
  });

  test('more memory than any machine has', () => {
    expect(() => zeros([2 ** 45])).toThrow(/^aten::zeros\(size: \[35184372088832\].*memory/s);
    expect(() => randn([2 ** 40, 2 ** 40])).toThrow(/^aten::randn/);
    expect(add(a, b).toNumbers()).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test('more values than a call can carry', () => {
    const many = new Array<Tensor>(40_000).fill(a);
    expect(() => call('aten::stack', '', many)).toThrow('A call can carry 32768 values at most');
    const before = memory().tensors;
    expect(() => call('aten::unbind', 'int', zeros([40_000]), 0)).toThrow('more values than a call can carry');
    expect(memory().tensors).toBe(before + 1);
  });

  test('a failed call keeps no tensor', () => {
    const before = memory().tensors;
    for (let i = 0; i < 100; i += 1) expect(() => scope(() => matrixProduct(a, ones([2, 3])))).toThrow('multiplied');
    expect(memory().tensors).toBe(before);
  });
});

test('operations return what their schema says', () => {
  expect(call('aten::size', 'int', a, 1)).toBe(3);
  expect(call('aten::is_same_size', '', a, b)).toBe(true);
  expect(call('aten::add_', 'Tensor', a, zeros([1]))).toBeNull();
  expect(call('aten::unbind', 'int', a, 0)).toHaveLength(2);
  expect(call('aten::max', 'dim', a, 1)).toHaveLength(2);
});

// In processes of their own, and with little memory, so that a crash is seen and stays there.
test.each([1, 2, 3])('no argument crashes the process, seed %d', (seed) => {
  const script = fileURLToPath(new URL('garbage.mjs', import.meta.url));
  const command = `ulimit -v 10000000; exec '${process.execPath}' ${fromSource.join(' ')} '${script}' ${seed} 5000`;
  const lines = execFileSync('bash', ['-c', command], { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: 'pipe' })
    .trim()
    .split('\n');
  const counts = JSON.parse(lines[lines.length - 1]);
  expect(counts.left).toBe(0);
  // Both kinds must occur, or the arguments are not what they are meant to be.
  expect(counts.succeeded).toBeGreaterThan(500);
  expect(counts.refused).toBeGreaterThan(500);
});
