import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  adamW,
  clone,
  copyInto,
  joinParts,
  noGradient,
  type Optimiser,
  partOf,
  readSafetensors,
  scope,
  writeSafetensors,
} from '@ronasmis/libtorch';
import { z } from 'zod';
import { codeOf, UserError } from '../base/errors.ts';
import { mendable } from '../base/files.ts';
import { quoted } from '../base/json.ts';
import { createRandom, type Random, restoreRandom } from '../base/random.ts';
import type { Controller, CreateController } from '../controller/controller.ts';
import type { ControllerName } from '../controller/controllers.ts';
import { createController } from '../controller/create.ts';
import { childNetwork } from '../network/child.ts';
import { sharedParameters } from '../network/parameters.ts';
import { createWeights, type Weights } from '../network/weights.ts';
import type { SearchContext } from './context.ts';

/** All that changes during a search: what a stopped one needs to go on as if it had not been stopped. */
export interface SearchState {
  readonly weights: Weights;
  /** Moving average of the weights over the training steps: what children are judged with, and what the search leaves. */
  readonly averaged: Weights;
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

export function createState(
  { dimensions, device, precision, space }: SearchContext,
  controller: ControllerName | CreateController,
  seed: number,
): SearchState {
  const weights = createWeights(
    sharedParameters(space.covering.map((child) => childNetwork(child, dimensions))),
    device,
    seed,
  );
  return {
    weights,
    averaged: noGradient(() => scope(() => new Map(Array.from(weights, ([name, tensor]) => [name, clone(tensor)])))),
    optimiser: adamW([...weights.values()], {
      learningRate: initialLearningRate,
      weightDecay,
      scalesLoss: precision === 'fp16',
    }),
    controller: createController(controller, space, seed),
    random: createRandom(seed),
    step: 0,
    trainingSteps: 0,
    seconds: 0,
  };
}

const plainSchema = z.object({
  step: z.int(),
  trainingSteps: z.int(),
  seconds: z.number(),
  random: z.array(z.number()),
  controller: z.unknown(),
});

/** Writes the whole state into the run folder, over the one before. @throws UserError where the disk does not take it */
export async function saveState(folder: string, state: SearchState): Promise<void> {
  const { weights, averaged, optimiser, step, trainingSteps, seconds, random } = state;
  const controller = state.controller.state();
  const tensors = joinParts({ weights, averaged, optimiser: optimiser.state(), controller: controller.tensors });
  const plain: z.infer<typeof plainSchema> = {
    step,
    trainingSteps,
    seconds,
    random: [...random.state()],
    controller: controller.plain,
  };
  const path = join(folder, checkpointName);
  await mendable(path, () => writeSafetensors(path, tensors, { state: JSON.stringify(plain) }));
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
    if (codeOf(error) === 'ENOENT') return;
    const reason = quoted(error instanceof Error ? error.message : String(error));
    throw new UserError(`${path} cannot be used (${reason}). Search again into a new folder.`);
  }
}

function takeOver(state: SearchState, { tensors, metadata }: Awaited<ReturnType<typeof readSafetensors>>): void {
  copyInto(state.weights, partOf(tensors, 'weights'));
  copyInto(state.averaged, partOf(tensors, 'averaged'));
  state.optimiser.restore(partOf(tensors, 'optimiser'));
  const plain = plainSchema.parse(JSON.parse(metadata.state ?? 'null'));
  state.controller.restore({ tensors: partOf(tensors, 'controller'), plain: plain.controller });
  for (const tensor of tensors.values()) tensor.free();
  state.step = plain.step;
  state.trainingSteps = plain.trainingSteps;
  state.seconds = plain.seconds;
  state.random = restoreRandom(plain.random);
}

/** A finished search needs no checkpoint any more. */
export async function removeState(folder: string): Promise<void> {
  await rm(join(folder, checkpointName), { force: true });
}
