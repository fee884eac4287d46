import { afterEach, describe, expect, test } from 'vitest';
import * as torch from '../src/index.ts';
import { autocast, matrixProduct, multiply, noGradient, sumAll } from '../src/index.ts';
import { wave, waveLeaf } from './wave.ts';

describe('gradients', () => {
  test('accumulate until they are cleared', () => {
    const x = waveLeaf([3], 0);
    expect(x.gradient).toBeUndefined();
    const loss = () => sumAll(multiply(x, x));
    const twice = x.toNumbers().map((value) => 2 * value);
    loss().backward();
    expect(x.gradient?.toNumbers()).toEqual(twice);
    loss().backward();
    expect(x.gradient?.toNumbers()).toEqual(twice.map((value) => 2 * value));
    x.clearGradient();
    expect(x.gradient).toBeUndefined();
  });

  test('a graph serves once unless it is kept', () => {
    const x = waveLeaf([3], 0);
    const loss = sumAll(multiply(x, x));
    loss.backward({ keepGraph: true });
    loss.backward();
    expect(() => loss.backward()).toThrow('a second time');
  });

  test('only scalars that depend on a leaf have gradients', () => {
    expect(() => multiply(waveLeaf([3], 0), wave([3], 0)).backward()).toThrow('scalar');
    expect(() => sumAll(wave([3], 0)).backward()).toThrow('does not require grad');
  });

  test('are not recorded inside noGradient, which also ends when its body throws', () => {
    const x = waveLeaf([3], 0);
    expect(noGradient(() => multiply(x, x)).requiresGradient).toBe(false);
    const fail = () => {
      throw new Error('as planned');
    };
    expect(() => noGradient(fail)).toThrow('as planned');
    expect(multiply(x, x).requiresGradient).toBe(true);
    expect(noGradient(() => noGradient(() => 1) + Number(multiply(x, x).requiresGradient))).toBe(1);
    expect(() => noGradient(async () => 1)).toThrow('cannot return a Promise');
  });
});

describe('autocast', () => {
  const product = () => matrixProduct(wave([4, 4], 0), wave([4, 4], 1));

  test('computes products in the type that it is told, sums in float32', () => {
    expect(autocast('cpu', 'bfloat16', product).dataType).toBe('bfloat16');
    expect(autocast('cpu', 'bfloat16', () => sumAll(wave([4], 0))).dataType).toBe('float32');
    expect(product().dataType).toBe('float32');
  });

  test('ends when its body throws, and an inner one gives back what the outer one set', () => {
    const fail = () => {
      throw new Error('as planned');
    };
    expect(() => autocast('cpu', 'bfloat16', fail)).toThrow('as planned');
    expect(product().dataType).toBe('float32');
    const types = autocast('cpu', 'bfloat16', () => {
      const inner = autocast('cpu', 'float16', product).dataType;
      return [inner, product().dataType];
    });
    expect(types).toEqual(['float16', 'bfloat16']);
    expect(product().dataType).toBe('float32');
    expect(() => autocast('cpu', 'bfloat16', async () => 1)).toThrow('cannot return a Promise');
    expect(product().dataType).toBe('float32');
  });

  test('gradients of weights come back in float32', () => {
    const weight = waveLeaf([4, 4], 1);
    autocast('cpu', 'bfloat16', () => sumAll(matrixProduct(wave([4, 4], 0), weight))).backward();
    expect(weight.gradient?.dataType).toBe('float32');
  });
});

describe('seeds', () => {
  test('the same seed, the same numbers', () => {
    const draw = (seed: number) => {
      torch.manualSeed(seed);
      return torch.randn([20]).toNumbers();
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    // torch.manual_seed(0); torch.randn(3), PyTorch 2.15.0 on a CPU
    torch.manualSeed(0);
    const expected = [1.5409960746765137, -0.293428897857666, -2.1787893772125244];
    torch
      .randn([3])
      .toNumbers()
      .forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i], 6);
      });
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 60])('%d is refused', (seed) => {
    expect(() => torch.manualSeed(seed)).toThrow('whole number');
  });
});

describe('threads', () => {
  const before = torch.threads();
  afterEach(() => torch.setThreads(before));

  test('can be set, and what cannot be is refused', () => {
    torch.setThreads(1);
    expect(torch.threads()).toBe(1);
    expect(() => torch.setThreads(0)).toThrow('between 1 and 4096');
    expect(() => torch.setThreads(Number.NaN)).toThrow('between 1 and 4096');
  });
});

test('the engine describes itself', () => {
  const engine = torch.describeEngine();
  expect(engine.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(engine.cpu.threads).toBeGreaterThan(0);
  expect(engine.cuda.loaded).toBe(engine.cuda.devices > 0);
  expect(torch.peakMemoryBytes('cpu')).toBeGreaterThan(10_000_000);
  expect(() => torch.emptyCache('cpu')).not.toThrow();
});
