import { expect, it } from 'vitest';
import { activationFunction } from '../src/activations.ts';
import {
  type Activation,
  activate,
  activationNames,
  keptByActivate,
  keptByActivation,
  multiplyScalar,
  peakTensorBytes,
  resetPeakTensorBytes,
  scope,
  sumAll,
  tensor,
} from '../src/index.ts';

/** By their definitions. */
const definitions: Readonly<Record<Activation, (x: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
};

it('names them all', () => {
  expect(activationNames).toEqual(Object.keys(definitions));
});

it('has a fused operation of its own for each number', () => {
  const fused = activationNames.map((name) => activationFunction(name).fusedNumber).filter((number) => number !== null);
  expect(new Set(fused).size).toBe(fused.length);
});

it.each(activationNames)('%s is what its definition says', (name) => {
  const values = Float32Array.of(-30, -2, -0.5, 0, 0.5, 2, 30);
  const found = scope(() => activate(tensor(values, [values.length]), name).toNumbers());
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(definitions[name](values[i]), 6);
  });
});

// Only there is the memory of tensors counted.
it.runIf(process.platform === 'linux').each(activationNames)('%s keeps what it says for its gradient', (name) => {
  const bytes = 4 << 20;
  const alive = (): number => {
    resetPeakTensorBytes('cpu');
    return peakTensorBytes('cpu');
  };
  scope(() => {
    const leaf = tensor(new Float32Array(bytes / 4), [bytes / 4]);
    leaf.requiresGradient = true;
    const input = multiplyScalar(leaf, 2);
    const before = alive();
    const sum = scope(() => sumAll(activate(input, name)));
    expect(alive() - before).toBe(keptByActivate(name) === 'output' ? bytes : 0);
    // One volume is still needed, either the input or, in its place, the output.
    input.free();
    expect(alive() - before).toBe(0);
    expect(sum.item()).toBe(0);
  });
});

it('fuses those for which nothing is kept beside the input of the normalisation', () => {
  expect(activationNames.filter((name) => keptByActivation(name) === 'nothing')).toEqual(['relu', 'leaky_relu', 'elu']);
});
