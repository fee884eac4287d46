import { createLossScale, type LossScale, scaledStep, updateScale } from './loss-scale.ts';
import { noGradient } from './modes.ts';
import { clamp, copyInPlace, euclideanNorm, foreachNorm, multiply, multiplyScalar, stack } from './operations.ts';
import { keep, scope, type Tensor } from './tensor.ts';

/** Changes parameters by their gradients. Parameters without a gradient are left as they are, and their state too. */
export interface Optimiser {
  /**
   * One update. `learningRate` stands in for the one that the optimiser was made with, for this step alone. With `largestNorm` the
   * gradients of all parameters are first scaled together so that their Euclidean norm is at most that, as PyTorch's
   * clip_grad_norm_ does; nothing waits for the device. Moments take in the gradients also where the rate is 0, as PyTorch's do.
   */
  step(learningRate?: number, largestNorm?: number): void;
  /** What to call `backward` on: the loss times its scale where this optimiser scales losses, else the loss itself. */
  scaleLoss(loss: Tensor): Tensor;
  /** Forgets the gradients, so that a parameter that the next loss does not depend on is not updated. */
  clearGradients(): void;
  /** The tensors that a stopped training needs to go on, such as `3.firstMoment` of the parameter at position 3. */
  state(): ReadonlyMap<string, Tensor>;
  /** Takes over copies of what {@link Optimiser.state} gave. Throws where it belongs to other parameters. */
  restore(state: ReadonlyMap<string, Tensor>): void;
}

/** What is kept of one parameter, in the order of the rule's names. */
type ParameterState = readonly Tensor[];

/** The parameters that have a gradient now, and beside them their gradients and states: a list for each name. */
export interface Selection {
  readonly parameters: readonly Tensor[];
  readonly gradients: readonly Tensor[];
  readonly states: readonly (readonly Tensor[])[];
}

/** How an optimiser differs from the others: the names of its states, how they begin, and the update. */
export interface UpdateRule {
  readonly names: readonly string[];
  readonly begin: (parameter: Tensor) => ParameterState;
  readonly update: (
    selection: Selection,
    learningRate: number,
    gradientDivisor: Tensor | undefined,
    overflow: Tensor | undefined,
  ) => void;
}

/** An optimiser that updates by this rule. With `scalesLoss` steps whose gradients overflow are left out, for networks computed in float16. */
export function createOptimiser(
  parameters: readonly Tensor[],
  learningRate: number,
  rule: UpdateRule,
  scalesLoss = false,
): Optimiser {
  const lossScale = scalesLoss && parameters.length > 0 ? createLossScale(parameters[0].device) : undefined;
  const states: (ParameterState | undefined)[] = parameters.map(() => undefined);

  /** The parameters that have a gradient; the state of one that never had any is made here. */
  function select(): Selection {
    const updated: Tensor[] = [];
    const gradients: Tensor[] = [];
    const columns = rule.names.map((): Tensor[] => []);
    parameters.forEach((parameter, i) => {
      const gradient = parameter.gradient;
      if (!gradient) return;
      states[i] ??= keep(() => rule.begin(parameter));
      updated.push(parameter);
      gradients.push(gradient);
      states[i].forEach((state, name) => {
        columns[name].push(state);
      });
    });
    return { parameters: updated, gradients, states: columns };
  }

  function step(rate = learningRate, largestNorm?: number): void {
    const selection = select();
    if (selection.parameters.length === 0) return;
    if (lossScale) {
      const norm = normOf(selection.gradients);
      const { divisor, overflow } = scaledStep(lossScale, norm, largestNorm ?? Number.POSITIVE_INFINITY);
      rule.update(selection, rate, divisor, overflow);
      updateScale(lossScale, overflow);
    } else {
      const divisor = largestNorm === undefined ? undefined : gradientDivisor(selection.gradients, largestNorm);
      rule.update(selection, rate, divisor, undefined);
    }
  }

  function state(): Map<string, Tensor> {
    const entries = states.flatMap((tensors, i) =>
      (tensors ?? []).map((tensor, name) => [`${i}.${rule.names[name]}`, tensor] as const),
    );
    return new Map([...entries, ...scaleEntries(lossScale)]);
  }

  function restore(saved: ReadonlyMap<string, Tensor>): void {
    const scales = scaleEntries(lossScale).map(([name, tensor]) => [tensor, savedTensor(saved, name, tensor)] as const);
    const restored = keep(() => parameters.map((parameter, i) => savedState(parameter, i, rule, saved)));
    const taken = restored.reduce((count, tensors) => count + (tensors?.length ?? 0), scales.length);
    if (taken !== saved.size) throw new Error('The saved state of the optimiser has tensors of other parameters.');
    restored.forEach((tensors, i) => {
      for (const old of states[i] ?? []) old.free();
      states[i] = tensors;
    });
    for (const [tensor, source] of scales) copyInPlace(tensor, source);
  }

  return {
    step: (rate, largestNorm) => noGradient(() => scope(() => step(rate, largestNorm))),
    scaleLoss: (loss) => (lossScale ? multiply(loss, lossScale.scale) : loss),
    clearGradients: () => {
      for (const parameter of parameters) parameter.clearGradient();
    },
    state,
    restore: (saved) => noGradient(() => restore(saved)),
  };
}

/** Copies of what was saved of one parameter, laid out in memory as it is; undefined where nothing was. */
function savedState(
  parameter: Tensor,
  position: number,
  rule: UpdateRule,
  saved: ReadonlyMap<string, Tensor>,
): ParameterState | undefined {
  const found = rule.names.map((name) => saved.get(`${position}.${name}`));
  if (found.every((tensor) => tensor === undefined)) return undefined;
  const state = rule.begin(parameter);
  state.forEach((tensor, i) => {
    copyInPlace(tensor, savedTensor(saved, `${position}.${rule.names[i]}`, tensor));
  });
  return state;
}

/** The saved tensor of this name. Throws where there is none of the shape of `like`. */
function savedTensor(saved: ReadonlyMap<string, Tensor>, name: string, like: Tensor): Tensor {
  const found = saved.get(name);
  if (found && String(found.shape) === String(like.shape)) return found;
  throw new Error(`The saved state of the optimiser has no '${name}' of shape [${like.shape.join(', ')}].`);
}

function scaleEntries(lossScale: LossScale | undefined): readonly (readonly [string, Tensor])[] {
  return lossScale
    ? [
        ['lossScale', lossScale.scale],
        ['goodSteps', lossScale.goodSteps],
      ]
    : [];
}

/** What the gradients are to be divided by so that their norm together is at most `largestNorm`: a float32 scalar, at least 1. */
function gradientDivisor(gradients: readonly Tensor[], largestNorm: number): Tensor {
  return clamp(multiplyScalar(normOf(gradients), 1 / largestNorm), { min: 1 });
}

function normOf(gradients: readonly Tensor[]): Tensor {
  // Of many small tensors libtorch takes the norms one after the other on a processor.
  if (gradients[0].device === 'cpu' && gradients[0].dataType === 'float32') return euclideanNorm(gradients);
  return foreachNorm([stack(foreachNorm(gradients))])[0];
}
