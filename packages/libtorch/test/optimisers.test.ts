import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  adam,
  adamW,
  add,
  contiguous,
  conv3d,
  euclideanNorm,
  fusedSgd,
  keep,
  memory,
  multiply,
  multiplyScalar,
  type Optimiser,
  scope,
  sgd,
  sumAll,
  type Tensor,
  to,
} from '../src/index.ts';
import { wave, waveLeaf } from './wave.ts';

type Trajectory = readonly (readonly (readonly number[])[])[];
interface ScaledStep {
  readonly scale: number;
  readonly parameters: readonly (readonly number[])[];
}
interface Clipped {
  readonly gradients: readonly (readonly number[])[];
}

/** Values of torch.optim, PyTorch 2.15.0, written by reference/optimisers.py. */
const references: Record<string, Trajectory> &
  Record<'clip to 0.5' | 'clip to 100', Clipped> &
  Record<'adamW, scaled' | 'sgd, scaled', readonly ScaledStep[]> = JSON.parse(
  readFileSync(new URL('reference/optimisers.json', import.meta.url), 'utf8'),
);

/** The gradient of sum(parameter * wave) is the wave. */
function setGradient(parameter: Tensor, phase: number): void {
  scope(() => sumAll(multiply(parameter, wave(parameter.shape, phase))).backward());
}

const makeParameters = () => [waveLeaf([2, 3], 0), waveLeaf([4], 1)];

/** One step as reference/optimisers.py takes it: the second parameter has no gradient in the second one. */
function takeStep(optimiser: Optimiser, [first, second]: readonly Tensor[], step: number): void {
  optimiser.clearGradients();
  setGradient(first, 2 + step);
  if (step !== 1) setGradient(second, 3 + step);
  optimiser.step();
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
}

const makers: Record<string, (parameters: readonly Tensor[]) => Optimiser> = {
  adamW: (parameters) => adamW(parameters, { learningRate: 0.1, betas: [0.8, 0.95], epsilon: 1e-6, weightDecay: 0.3 }),
  'adamW, defaults': (parameters) => adamW(parameters, { learningRate: 0.1 }),
  adam: (parameters) => adam(parameters, { learningRate: 0.1, weightDecay: 0.3 }),
  sgd: (parameters) => sgd(parameters, { learningRate: 0.1 }),
  'sgd, momentum': (parameters) =>
    sgd(parameters, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.3, nesterov: true }),
};

describe.each(Object.entries(makers))('%s', (name, make) => {
  test('takes the steps of PyTorch, and none where there is no gradient', () => {
    const parameters = makeParameters();
    const optimiser = make(parameters);
    for (const [step, expected] of references[name].entries()) {
      takeStep(optimiser, parameters, step);
      parameters.forEach((parameter, i) => {
        expectClose(parameter.toNumbers(), expected[i]);
      });
    }
  });

  test('goes on from a saved state as if it had never stopped', () => {
    const [unbroken, stopped] = [makeParameters(), makeParameters()];
    const [whole, before] = [make(unbroken), make(stopped)];
    for (const step of [0, 1]) {
      takeStep(whole, unbroken, step);
      takeStep(before, stopped, step);
    }
    const after = make(stopped);
    after.restore(before.state());
    for (const step of [2, 3]) {
      takeStep(whole, unbroken, step);
      takeStep(after, stopped, step);
    }
    expect(stopped.map((item) => item.toArray())).toEqual(unbroken.map((item) => item.toArray()));
    expect([...after.state().keys()]).toEqual([...whole.state().keys()]);
  });

  test('leaks nothing, inside a scope or outside', () => {
    const parameters = makeParameters();
    const optimiser = make(parameters);
    takeStep(optimiser, parameters, 0);
    optimiser.clearGradients();
    const settled = memory();
    for (let step = 1; step < 50; step += 1) {
      takeStep(optimiser, parameters, step);
      scope(() => {
        optimiser.step(0.1, 1);
      });
    }
    optimiser.clearGradients();
    expect(memory()).toEqual(settled);
  });
});

test('a step may have a learning rate of its own', () => {
  const [given, made] = [makeParameters(), makeParameters()];
  for (const [parameters, learningRate] of [[given, 7] as const, [made, 0.1] as const]) {
    const optimiser = sgd(parameters, { learningRate });
    for (const parameter of parameters) setGradient(parameter, 2);
    optimiser.step(0.1);
  }
  expect(given[0].toArray()).toEqual(made[0].toArray());
});

test('parameters in channels_last_3d are updated as the same ones laid out contiguously', () => {
  const plain = waveLeaf([3, 2, 3, 3, 3], 0);
  const last = keep(() => contiguous(wave([3, 2, 3, 3, 3], 0), { memoryFormat: 'channels_last_3d' }));
  last.requiresGradient = true;
  const first = { plain: makers.adamW([plain]), last: makers.adamW([last]) };
  setGradient(plain, 2);
  setGradient(last, 2);
  first.plain.step();
  first.last.step();
  // Saved contiguously, as safetensors does.
  const saved = new Map([...first.last.state()].map(([name, value]) => [name, contiguous(value)]));
  const resumed = makers.adamW([last]);
  resumed.restore(saved);
  first.plain.step();
  resumed.step();
  expect(last.toArray()).toEqual(plain.toArray());
});

test('gradients of convolutions in channels_last_3d fit their weights', () => {
  const shapes = [
    [3, 2, 1, 1, 1],
    [3, 1, 3, 3, 3],
    [1, 2, 3, 3, 3],
  ];
  for (const shape of shapes) {
    const weight = waveLeaf(shape, 0);
    const before = weight.toNumbers();
    const volume = contiguous(wave([2, shape[1], 4, 4, 4], 1), { memoryFormat: 'channels_last_3d' });
    for (let step = 0; step < 2; step += 1) scope(() => sumAll(conv3d(volume, weight)).backward());
    makers.adamW([weight]).step();
    expect(weight.toNumbers().every((value, i) => value !== before[i])).toBe(true);
  }
});

test('lists that do not fit together are refused by the operation itself', () => {
  const [first, second] = makeParameters();
  const update = (gradients: readonly Tensor[], momenta: readonly Tensor[], momentum: number) =>
    fusedSgd([first, second], gradients, momenta, {
      weightDecay: 0,
      momentum,
      learningRate: 0.1,
      dampening: 0,
      nesterov: false,
      maximize: false,
      isFirstStep: false,
    });
  expect(() => update([wave([2, 3], 0)], [], 0)).toThrow("'grads' must have a tensor for each one");
  expect(() => update([wave([2, 3], 0), wave([5], 0)], [], 0)).toThrow("'grads' must have the shapes");
  expect(() => update([wave([2, 3], 0), wave([4], 0)], [], 0.9)).toThrow("'momentum_buffer_list' must have a tensor");
});

test('a state of other parameters is refused, and the one before it stays', () => {
  const parameters = makeParameters();
  const optimiser = makers.adamW(parameters);
  takeStep(optimiser, parameters, 0);
  const before = [...optimiser.state().values()].map((item) => item.toNumbers());
  expect(() => optimiser.restore(new Map([['0.steps', wave([], 0)]]))).toThrow("no '0.firstMoment' of shape [2, 3]");
  expect(() => optimiser.restore(new Map([...optimiser.state(), ['9.steps', wave([], 0)]]))).toThrow(
    'other parameters',
  );
  expect([...optimiser.state().values()].map((item) => item.toNumbers())).toEqual(before);
});

describe('a largest norm of the gradients', () => {
  test.each(['clip to 0.5', 'clip to 100'] as const)('%s as PyTorch does', (name) => {
    const parameters = makeParameters();
    setGradient(parameters[0], 2);
    setGradient(parameters[1], 3);
    const before = parameters.map((parameter) => parameter.toNumbers());
    sgd(parameters, { learningRate: 1 }).step(1, Number(name.split(' ')[2]));
    parameters.forEach((parameter, i) => {
      const gradient = parameter.toNumbers().map((value, at) => before[i][at] - value);
      if (parameter.gradient) expectClose(gradient, references[name].gradients[i]);
      else expect(gradient.every((value) => value === 0)).toBe(true);
    });
  });

  test('is that of all tensors together, whatever their number and layout', () => {
    const tensors = [
      wave([40, 50, 40], 1),
      contiguous(wave([2, 3, 4, 5, 6], 2), { memoryFormat: 'channels_last_3d' }),
      wave([], 3),
    ];
    const squares = tensors.flatMap((item) => item.toNumbers()).reduce((sum, value) => sum + value * value, 0);
    expect(euclideanNorm(tensors).item()).toBeCloseTo(Math.sqrt(squares), 3);
    expect(euclideanNorm([]).item()).toBe(0);
    expect(() => euclideanNorm([to(wave([2], 1), { dataType: 'float64' })])).toThrow('float32 on the CPU');
  });
});

describe('a scaled loss', () => {
  const make = (parameters: readonly Tensor[], scalesLoss: boolean) =>
    adamW(parameters, { learningRate: 0.1, weightDecay: 0.3, scalesLoss });
  const scaleOf = (optimiser: Optimiser) => optimiser.state().get('lossScale')?.item();

  /** One step of clipped gradients, which overflow in the second, as reference/optimisers.py takes it. */
  function takeScaledStep(optimiser: Optimiser, parameters: readonly Tensor[], step: number): void {
    optimiser.clearGradients();
    scope(() => {
      const losses = parameters.map((item, i) => sumAll(multiply(item, wave(item.shape, 2 + i + step))));
      const factor = step === 1 ? Number.POSITIVE_INFINITY : 1;
      optimiser.scaleLoss(multiplyScalar(add(losses[0], losses[1]), factor)).backward();
    });
    optimiser.step(0.1, 0.5);
  }

  const scaledSgd = (parameters: readonly Tensor[]) =>
    sgd(parameters, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.3, nesterov: true, scalesLoss: true });

  test.each([
    ['adamW, scaled', (parameters: readonly Tensor[]) => make(parameters, true)],
    ['sgd, scaled', scaledSgd],
  ] as const)('%s: as by PyTorch a step that overflowed is left out, and the scale falls', (name, scaled) => {
    const parameters = makeParameters();
    const optimiser = scaled(parameters);
    for (const [step, expected] of references[name].entries()) {
      takeScaledStep(optimiser, parameters, step);
      expect(scaleOf(optimiser)).toBe(expected.scale);
      parameters.forEach((parameter, i) => {
        expectClose(parameter.toNumbers(), expected.parameters[i]);
      });
    }
  });

  test('grows again after 2,000 steps, and goes on from a saved state', () => {
    const parameters = makeParameters();
    const optimiser = make(parameters, true);
    for (const step of [0, 1]) takeScaledStep(optimiser, parameters, step);
    for (let step = 0; step < 1999; step += 1) takeScaledStep(optimiser, parameters, 2);
    const resumed = make(parameters, true);
    resumed.restore(optimiser.state());
    expect(scaleOf(resumed)).toBe(32768);
    takeScaledStep(resumed, parameters, 2);
    expect(scaleOf(resumed)).toBe(65536);
  });

  test('is the loss itself where the optimiser scales none', () => {
    const loss = wave([], 1);
    expect(make(makeParameters(), false).scaleLoss(loss)).toBe(loss);
  });
});
