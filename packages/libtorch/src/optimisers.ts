import { foreachAddScalar, foreachSubtract, fusedAdam, fusedAdamW, fusedSgd, zeros, zerosLike } from './operations.ts';
import { createOptimiser, type Optimiser, type UpdateRule } from './optimiser.ts';
import type { Tensor } from './tensor.ts';

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
  /** Added to the gradient (L2), times the weight; 0 where it is left out. */
  readonly weightDecay?: number;
  /** As {@link AdamOptions.scalesLoss}. */
  readonly scalesLoss?: boolean;
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019, "Decoupled weight decay regularization"), all parameters in one
 * fused call. The parameters are of one device.
 */
export function adamW(parameters: readonly Tensor[], options: AdamOptions): Optimiser {
  return createOptimiser(parameters, options.learningRate, adamRule(fusedAdamW, options), options.scalesLoss);
}

/** Adam (Kingma & Ba 2015); weight decay is added to the gradient (L2), as torch.optim.Adam does. Otherwise as {@link adamW}. */
export function adam(parameters: readonly Tensor[], options: AdamOptions): Optimiser {
  return createOptimiser(parameters, options.learningRate, adamRule(fusedAdam, options), options.scalesLoss);
}

function adamRule(fused: typeof fusedAdamW, options: AdamOptions): UpdateRule {
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
  const rule: UpdateRule = {
    names: momentum === 0 ? [] : ['momentum'],
    begin: (parameter) => (momentum === 0 ? [] : [zerosLike(parameter, { memoryFormat: 'preserve' })]),
    update: ({ parameters: changed, gradients, states: [buffers = []] }, learningRate, divisor, overflow) => {
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
        foundInf: overflow,
      });
    },
  };
  return createOptimiser(parameters, options.learningRate, rule, options.scalesLoss);
}
