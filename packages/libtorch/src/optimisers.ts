import { createLossScale, type LossScale, scaledStep, updateScale } from './loss-scale.ts';
import { noGradient } from './modes.ts';
import {
  clamp,
  copyInPlace,
  euclideanNorm,
  foreachAddScalar,
  foreachNorm,
  foreachSubtract,
  fusedAdam,
  fusedAdamW,
  fusedSgd,
  multiply,
  multiplyScalar,
  stack,
  zeros,
  zerosLike,
} from './operations.ts';
import { keep, scope, type Tensor } from './tensor.ts';

/** Changes parameters by their gradients. Parameters without a gradient are left as they are, and their state too. */
export interface Optimiser {
  /**
   * One update. `learningRate` stands in for the one that the optimiser was made with, for this step alone. With `largestNorm` the
   * gradients of all parameters are first scaled together so that their Euclidean norm is at most that, as PyTorch's
   * clip_grad_norm_ does; nothing waits for the device.
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

export interface AdamOptions {
  readonly learningRate: number;
  /** Of the running means of the gradient and of its square; 0.9 and 0.999 where it is left out. */
  readonly betas?: readonly [number, number];
  /** 1e-8 where it is left out. */
  readonly epsilon?: number;
  /** 0 where it is left out. */
  readonly weightDecay?: number;
  /** Scales losses, for networks computed in float16; steps whose gradients overflow are left out. */
  readonly scalesLoss?: boolean;
}

export interface SgdOptions {
  readonly learningRate: number;
  /** 0 where it is left out. */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
}

/** What is kept of one parameter, in the order of the rule's names. */
type ParameterState = readonly Tensor[];

/** The parameters that have a gradient now, and beside them their gradients and states: a list for each name. */
interface Selection {
  readonly parameters: readonly Tensor[];
  readonly gradients: readonly Tensor[];
  readonly states: readonly (readonly Tensor[])[];
}

/** How an optimiser differs from the others: the names of its states, how they begin, and the update. */
interface Rule {
  readonly names: readonly string[];
  readonly begin: (parameter: Tensor) => ParameterState;
  readonly update: (
    selection: Selection,
    learningRate: number,
    gradientDivisor: Tensor | undefined,
    overflow: Tensor | undefined,
  ) => void;
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019, "Decoupled weight decay regularization"), all parameters in one
 * fused call. The parameters are of one device.
 */
export function adamW(parameters: readonly Tensor[], options: AdamOptions): Optimiser {
  return optimiser(parameters, options.learningRate, adamRule(fusedAdamW, options), options.scalesLoss);
}

/** Adam (Kingma & Ba 2015); weight decay is added to the gradient. Otherwise as {@link adamW}. */
export function adam(parameters: readonly Tensor[], options: AdamOptions): Optimiser {
  return optimiser(parameters, options.learningRate, adamRule(fusedAdam, options), options.scalesLoss);
}

function adamRule(fused: typeof fusedAdamW, options: AdamOptions): Rule {
  const [beta1, beta2] = options.betas ?? [0.9, 0.999];
  return {
    names: ['steps', 'firstMoment', 'secondMoment'],
    begin: (parameter) => [
      zeros([], { dataType: 'float32', device: parameter.device }),
      zerosLike(parameter, { memoryFormat: 'preserve' }),
      zerosLike(parameter, { memoryFormat: 'preserve' }),
    ],
    update: ({ parameters, gradients, states: [steps, first, second] }, learningRate, divisor, overflow) => {
      foreachAddScalar(steps, 1);
      if (overflow)
        foreachSubtract(
          steps,
          steps.map(() => overflow),
        );
      fused(parameters, gradients, first, second, [], steps, {
        learningRate,
        beta1,
        beta2,
        weightDecay: options.weightDecay ?? 0,
        epsilon: options.epsilon ?? 1e-8,
        amsgrad: false,
        maximize: false,
        gradScale: divisor,
        foundInf: overflow,
      });
    },
  };
}

/** Stochastic gradient descent with momentum, as torch.optim.SGD defines it, all parameters in one fused call. */
export function sgd(parameters: readonly Tensor[], options: SgdOptions): Optimiser {
  const momentum = options.momentum ?? 0;
  return optimiser(parameters, options.learningRate, {
    names: momentum === 0 ? [] : ['momentum'],
    begin: (parameter) => (momentum === 0 ? [] : [zerosLike(parameter, { memoryFormat: 'preserve' })]),
    update: ({ parameters: changed, gradients, states: [buffers = []] }, learningRate, divisor) => {
      const weightDecay = options.weightDecay ?? 0;
      // Buffers begin as zeros, so no step is a first one: without dampening that is the same.
      fusedSgd(changed, gradients, buffers, {
        weightDecay,
        momentum,
        learningRate,
        dampening: 0,
        nesterov: options.nesterov ?? false,
        maximize: false,
        isFirstStep: false,
        gradScale: divisor,
      });
    },
  });
}

function optimiser(parameters: readonly Tensor[], learningRate: number, rule: Rule, scalesLoss = false): Optimiser {
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
  rule: Rule,
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
