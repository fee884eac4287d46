import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  joinParts,
  type NamedTensors,
  noGradient,
  partOf,
  readSafetensors,
  scope,
  writeSafetensors,
  zeros,
} from '@ronasmis/libtorch';
import { z } from 'zod';
import { type Architecture, coarseSchema } from '../architecture/architecture.ts';
import { codeOf, UserError } from '../base/errors.ts';
import { fixable } from '../base/files.ts';
import { quoted } from '../base/json.ts';
import { createRandom, type Random, restoreRandom } from '../base/random.ts';
import type { Controller, CreateController } from '../controller/controller.ts';
import type { ControllerName } from '../controller/controllers.ts';
import { createController } from '../controller/create.ts';
import { parametersOf } from '../network/of-architecture.ts';
import { createWeights, loadedWeight } from '../network/weights.ts';
import type { Team } from '../ranks/team.ts';
import { createTrainer, restoreTrainer, type Trainer, trainerTensors } from '../training/trainer.ts';
import type { RunContext, SearchContext } from './context.ts';
import type { CoarseChild } from './joining.ts';
import { sharedController } from './shared-controller.ts';

/** All that changes in a training but its clock: what a stopped one needs to go on as if it had not been stopped. */
export interface TrainingState {
  readonly trainer: Trainer;
  random: Random;
  readonly controller?: Controller;
  /** What a search's coarse part has found, once it is over. */
  coarse?: CoarseChild | undefined;
}

/** The same of a search. */
export interface SearchState extends TrainingState {
  readonly controller: Controller;
}

/** Where a run stands. */
export interface Moment {
  /** Finished controller steps. */
  readonly step: number;
  /** Seconds spent until the last finished step, in all processes. */
  readonly seconds: number;
}

const checkpointName = 'checkpoint.safetensors';

/** A search before its first step. */
export function createSearchState(
  context: SearchContext,
  controller: ControllerName | CreateController,
  seed: number,
): SearchState {
  const { space } = context;
  const trainer = trainerOf(context, space.covering, seed);
  return {
    trainer,
    controller: sharedController(createController(controller, space, seed, context.recipe.controller), context.team),
    random: createRandom(seed),
  };
}

/** The training of one network before its first step. */
export function createTrainingState(context: RunContext, architecture: Architecture, seed: number): TrainingState {
  return { trainer: trainerOf(context, [architecture], seed), random: createRandom(seed) };
}

/** The training of fresh weights, which are all that these networks need. */
function trainerOf(context: RunContext, architectures: readonly Architecture[], seed: number): Trainer {
  const { dimensions, device, precision, recipe, ignoredValue } = context;
  const parameters = parametersOf(architectures, dimensions, recipe.network);
  return createTrainer(createWeights(parameters, device, seed), {
    device,
    precision,
    hasIgnored: ignoredValue !== undefined,
    recipe: recipe.training,
  });
}

const plainSchema = z.object({
  step: z.int(),
  trainingSteps: z.int(),
  seconds: z.number(),
  random: z.array(z.number()),
  controller: z.unknown(),
  coarse: coarseSchema,
});

/** Writes the checkpoint of the run folder, over the one before. @throws UserError where the disk does not take it */
export async function saveState(folder: string, state: TrainingState, { step, seconds }: Moment): Promise<void> {
  const controller = state.controller?.state();
  const tensors: NamedTensors = new Map([
    ...trainerTensors(state.trainer),
    ...joinParts({ controller: controller?.tensors ?? new Map(), coarse: state.coarse?.weights ?? new Map() }),
  ]);
  const plain: z.infer<typeof plainSchema> = {
    step,
    trainingSteps: state.trainer.steps,
    seconds,
    random: [...state.random.state()],
    controller: controller?.plain ?? null,
    ...(state.coarse && { coarse: state.coarse.coarse }),
  };
  const path = join(folder, checkpointName);
  await fixable(path, () => writeSafetensors(path, tensors, { state: JSON.stringify(plain) }));
}

/**
 * Takes the state of the last finished step over into a fresh one. Nothing to do where no step was finished. The first rank reads it, for all.
 * @returns where that run stood
 * @throws UserError where the checkpoint is damaged or of another network
 */
export async function restoreState(folder: string, state: TrainingState, team: Team): Promise<Moment> {
  const moment = team.isFirst ? await restoreOwn(folder, state) : { step: 0, seconds: 0 };
  return copyFirst(state, moment, team);
}

/** Gives all ranks what the first one trains and has kept, as it is there, and the moment where it stands. */
export function copyFirst(state: TrainingState, moment: Moment, team: Team): Moment {
  if (team.size === 1) return moment;
  const { trainer, random } = state;
  const shared = team.fromFirst(() => ({
    steps: trainer.steps,
    drawn: random.state(),
    moment,
    ...(state.coarse && { coarse: state.coarse.coarse }),
  }));
  noGradient(() =>
    scope(() => {
      const tensors = tensorsOfFirst(trainerTensors(trainer), team);
      if (!team.isFirst) restoreTrainer(trainer, tensors, shared.steps);
    }),
  );
  if (shared.coarse) {
    const weights = tensorsOfFirst(state.coarse?.weights ?? new Map(), team);
    state.coarse = { coarse: shared.coarse, weights };
  }
  random.goTo(shared.drawn);
  return shared.moment;
}

/** The tensors that the first rank has by these names, of which the others need not have any. */
function tensorsOfFirst(own: NamedTensors, team: Team): NamedTensors {
  const described = team.fromFirst(() => Array.from(own, ([name, { shape, dataType }]) => ({ name, shape, dataType })));
  const tensors = team.isFirst
    ? own
    : new Map(described.map(({ name, shape, dataType }) => [name, zeros(shape, { dataType })] as const));
  team.copyFirst(tensors.values());
  return tensors;
}

async function restoreOwn(folder: string, state: TrainingState): Promise<Moment> {
  const path = join(folder, checkpointName);
  try {
    return takeOver(state, await readSafetensors(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { step: 0, seconds: 0 };
    const reason = quoted(error instanceof Error ? error.message : String(error));
    throw new UserError(`${path} cannot be used (${reason}). Search again into a new folder.`);
  }
}

function takeOver(state: TrainingState, { tensors, metadata }: Awaited<ReturnType<typeof readSafetensors>>): Moment {
  const plain = plainSchema.parse(JSON.parse(metadata.state ?? 'null'));
  restoreTrainer(state.trainer, tensors, plain.trainingSteps);
  state.controller?.restore({ tensors: partOf(tensors, 'controller'), plain: plain.controller });
  state.random = restoreRandom(plain.random);
  if (plain.coarse) {
    const { device } = state.trainer;
    const stored = [...partOf(tensors, 'coarse')];
    state.coarse = {
      coarse: plain.coarse,
      weights: new Map(stored.map(([name, tensor]) => [name, loadedWeight(tensor, device)])),
    };
  }
  for (const tensor of tensors.values()) tensor.free();
  return { step: plain.step, seconds: plain.seconds };
}

/** A finished search needs no checkpoint any more. */
export async function removeState(folder: string): Promise<void> {
  await rm(join(folder, checkpointName), { force: true });
}
