import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, expectTypeOf, test } from 'vitest';
import {
  adamW,
  add,
  conv3d,
  foreachAdd,
  instanceNorm,
  lstmCell,
  pad,
  schema,
  type Tensor,
  to,
  unbind,
  zeros,
} from '../src/index.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

test('generating the operations again changes nothing', () => {
  const script = `import { generate } from '${path('../scripts/generate.mjs')}'; process.stdout.write(generate());`;
  const generated = execFileSync('node', ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const biome = path('../../../node_modules/.bin/biome');
  const formatted = execFileSync(biome, ['format', '--stdin-file-path=operations.ts'], {
    input: generated,
    encoding: 'utf8',
    cwd: path('../../..'),
    stdio: 'pipe',
  });
  expect(formatted).toBe(readFileSync(path('../src/operations.ts'), 'utf8'));
});

test('a schema can be asked for', () => {
  expect(schema('aten::relu', '')).toBe('aten::relu(Tensor self) -> Tensor');
  expect(() => schema('aten::rely', '')).toThrow('no operation');
});

test('a wrong call does not compile', () => {
  expectTypeOf(add).toBeCallableWith(zeros([1]), zeros([1]));
  expectTypeOf(add).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(unbind).returns.toEqualTypeOf<readonly Tensor[]>();
  expectTypeOf(lstmCell).returns.toEqualTypeOf<readonly Tensor[]>();
  expectTypeOf(foreachAdd).returns.toEqualTypeOf<void>();
  // None of these runs: that each line below fails to compile is what is tested.
  const wrong = (a: Tensor): void => {
    // @ts-expect-error a tensor is missing
    add(a);
    // @ts-expect-error a number is no tensor
    add(a, 3);
    // @ts-expect-error too many arguments
    add(a, a, { alpha: 1 }, 1);
    // @ts-expect-error what may be left out is named
    add(a, a, 1);
    // @ts-expect-error no such option
    add(a, a, { beta: 1 });
    // @ts-expect-error what libtorch wants is not left out
    instanceNorm(a, { momentum: 0.1 });
    // @ts-expect-error a stride is a number or a list of numbers
    conv3d(a, a, { stride: '2' });
    // @ts-expect-error the weight is not optional
    conv3d(a, null);
    // @ts-expect-error no such data type
    to(a, { dataType: 'float31' });
    // @ts-expect-error no such device
    zeros([1], { dataType: 'float32', device: 'toaster' });
    // @ts-expect-error sizes are a list
    pad(a, 1);
    // @ts-expect-error a learning rate is needed
    adamW([a], {});
  };
  expect(wrong).toBeTypeOf('function');
});
