import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  adamW,
  copyInPlace,
  noGradient,
  type Optimiser,
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from '@ronasmis/libtorch';
import { z } from 'zod';
import { type Controller, createController } from '../controller/reinforce.ts';
import { UserError } from '../errors.ts';
import { createWeights, type Weights } from '../network/weights.ts';
import { createRandom, type Random, restoreRandom } from '../random.ts';
import type { SearchContext } from './context.ts';

/** All that changes during a search: what a stopped one needs to go on as if it had not been stopped. */
export interface SearchState {
  readonly weights: Weights;
  readonly optimiser: Optimiser;
  readonly controller: Controller;
  random: Random;
  /** Finished controller steps. */
  step: number;
  /** Training steps of the shared weights. */
  trainingSteps: number;
  /** Seconds spent until the last finished step, in all processes. */
  seconds: number;
}

const checkpointName = 'checkpoint.safetensors';
/** Adam's rate for the shared weights where the schedule begins, and its weight decay (paper: 1e-3 or 1e-4). */
export const initialLearningRate = 2e-3;
const weightDecay = 1e-3;

export function createState({ dimensions, device, precision, space }: SearchContext, seed: number): SearchState {
  const weights = createWeights(dimensions, device, seed);
  return {
    weights,
    optimiser: adamW([...weights.values()], {
      learningRate: initialLearningRate,
      weightDecay,
      scalesLoss: precision === 'fp16',
    }),
    controller: createController(space, seed),
    random: createRandom(seed),
    step: 0,
    trainingSteps: 0,
    seconds: 0,
  };
}

const plainSchema = z.object({
  step: z.int(),
  trainingSteps: z.int(),
  baseline: z.number().nullable(),
  seconds: z.number(),
  random: z.array(z.number()),
});

/** Writes the whole state into the run folder, over the one before. */
export async function saveState(folder: string, state: SearchState): Promise<void> {
  const tensors = new Map<string, Tensor>();
  for (const [prefix, part] of Object.entries(parts(state))) {
    for (const [name, tensor] of part) tensors.set(`${prefix}/${name}`, tensor);
  }
  const { step, trainingSteps, seconds, random, controller } = state;
  const baseline = controller.baseline ?? null;
  const plain: z.infer<typeof plainSchema> = { step, trainingSteps, baseline, seconds, random: [...random.state()] };
  await writeSafetensors(join(folder, checkpointName), tensors, { state: JSON.stringify(plain) });
}

function parts({ weights, optimiser, controller }: SearchState): Record<string, ReadonlyMap<string, Tensor>> {
  return {
    weights,
    optimiser: optimiser.state(),
    policy: controller.policy,
    policyOptimiser: controller.optimiser.state(),
  };
}

/**
 * Takes the state of the last finished step over into a fresh one. Nothing to do where no step was finished.
 * @throws UserError where the checkpoint is damaged or of another network
 */
export async function restoreState(folder: string, state: SearchState): Promise<void> {
  const path = join(folder, checkpointName);
  try {
    takeOver(state, await readSafetensors(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} cannot be used (${reason}). Search again into a new folder.`);
  }
}

function takeOver(state: SearchState, { tensors, metadata }: Awaited<ReturnType<typeof readSafetensors>>): void {
  const part = (prefix: string): Map<string, Tensor> =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(`${prefix}/`))
        .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
    );
  copyInto(state.weights, part('weights'));
  copyInto(state.controller.policy, part('policy'));
  state.optimiser.restore(part('optimiser'));
  state.controller.optimiser.restore(part('policyOptimiser'));
  for (const tensor of tensors.values()) tensor.free();
  const plain = plainSchema.parse(JSON.parse(metadata.state ?? 'null'));
  state.step = plain.step;
  state.trainingSteps = plain.trainingSteps;
  state.controller.baseline = plain.baseline ?? undefined;
  state.seconds = plain.seconds;
  state.random = restoreRandom(plain.random);
}

function copyInto(targets: ReadonlyMap<string, Tensor>, sources: ReadonlyMap<string, Tensor>): void {
  noGradient(() => {
    for (const [name, target] of targets) {
      const source = sources.get(name);
      if (!source || String(source.shape) !== String(target.shape)) {
        throw new Error(`it lacks the weight '${name}' of shape [${target.shape.join(', ')}]`);
      }
      copyInPlace(target, source);
    }
  });
}

/** A finished search needs no checkpoint any more. */
export async function removeState(folder: string): Promise<void> {
  await rm(join(folder, checkpointName), { force: true });
}
