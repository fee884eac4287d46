import { mkdtemp, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  foreachLerp,
  meanAll,
  multiply,
  noGradient,
  readSafetensors,
  scope,
  type Tensor,
  writeSafetensors,
} from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { type ControllerName, controllerNames } from '../../src/controller/controllers.ts';
import { alone } from '../../src/ranks/team.ts';
import { createSearchState, removeState, restoreState, type SearchState, saveState } from '../../src/search/state.ts';
import { outlookOf } from '../controller/outlook.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { tinyContext } from './tiny-context.ts';

const root = await temporaryFolder();
const newFolder = () => mkdtemp(join(root, 'run-'));
const checkpoint = (folder: string) => join(folder, 'checkpoint.safetensors');

/** A controller step without data: the weights shrink, drawn children are rewarded for nothing but their place. */
function advance(state: SearchState): void {
  scope(() => {
    for (const weight of state.trainer.weights.values()) meanAll(multiply(weight, weight)).backward();
    state.trainer.optimiser.step();
    state.trainer.optimiser.clearGradients();
    noGradient(() => foreachLerp([...state.trainer.averaged.values()], [...state.trainer.weights.values()], 0.3));
  });
  const outlook = outlookOf(5);
  const children = state.controller.proposeForEvaluation(30, state.random, outlook);
  const rewarded = children.map((choices, index) => ({ choices, reward: index / 30 }));
  state.controller.learn(rewarded, outlook);
  state.trainer.steps += 7;
}

/** Everything in a state, as plain values. */
function contents(state: SearchState) {
  const values = (tensors: ReadonlyMap<string, Tensor>) =>
    Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.toNumbers()]));
  const controller = state.controller.state();
  return {
    weights: values(state.trainer.weights),
    averaged: values(state.trainer.averaged),
    optimiser: values(state.trainer.optimiser.state()),
    controller: values(controller.tensors),
    plain: { steps: state.trainer.steps, controller: controller.plain, random: state.random.state() },
  };
}

const moment = { step: 2, seconds: 2.2 };

async function saved(controller: ControllerName = 'reinforce'): Promise<{ folder: string; state: SearchState }> {
  const folder = await newFolder();
  const state = createSearchState(tinyContext, controller, 1);
  advance(state);
  advance(state);
  await saveState(folder, state, moment);
  return { folder, state };
}

describe('a restored state', () => {
  it.each(controllerNames)('equals the saved one to the last bit, and goes on as it does: %s', async (name) => {
    const { folder, state } = await saved(name);
    const restored = createSearchState(tinyContext, name, 99);
    expect(contents(restored)).not.toEqual(contents(state));
    expect(await restoreState(folder, restored, alone)).toEqual(moment);
    expect(contents(restored)).toEqual(contents(state));
    advance(state);
    advance(restored);
    expect(contents(restored)).toEqual(contents(state));
  });

  it('is the fresh one where no step was finished', async () => {
    const state = createSearchState(tinyContext, 'reinforce', 1);
    expect(await restoreState(root, state, alone)).toEqual({ step: 0, seconds: 0 });
    expect(contents(state)).toEqual(contents(createSearchState(tinyContext, 'reinforce', 1)));
  });
});

it('saves over the state before, leaves nothing else, and removes it', async () => {
  const { folder, state } = await saved();
  advance(state);
  await saveState(folder, state, { step: 3, seconds: 3.3 });
  expect(await readdir(folder)).toEqual(['checkpoint.safetensors']);
  const restored = createSearchState(tinyContext, 'reinforce', 1);
  expect(await restoreState(folder, restored, alone)).toEqual({ step: 3, seconds: 3.3 });
  await removeState(folder);
  expect(await readdir(folder)).toEqual([]);
});

describe('a checkpoint that cannot be used is named in a sentence', () => {
  async function refusal(
    damage: (folder: string) => Promise<void>,
    controller: ControllerName = 'reinforce',
  ): Promise<string> {
    const { folder } = await saved(controller);
    await damage(folder);
    const error = await restoreState(folder, createSearchState(tinyContext, 'reinforce', 1), alone).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(UserError);
    const message = String(error);
    expect(message).toContain(`${checkpoint(folder)} cannot be used (`);
    expect(message).toMatch(/\)\. Search again into a new folder\.$/);
    return message;
  }
  const rewrite =
    (change: (tensors: Map<string, Tensor>) => void, metadata?: Record<string, string>) => async (folder: string) => {
      const found = await readSafetensors(checkpoint(folder));
      change(found.tensors);
      await writeSafetensors(checkpoint(folder), found.tensors, metadata ?? found.metadata);
    };

  it('cut short', async () => {
    expect(
      await refusal(async (folder) => {
        const { length } = await readFile(checkpoint(folder));
        await truncate(checkpoint(folder), length - 4);
      }),
    ).toMatch(/not a whole safetensors file/);
  });

  it('of other bytes', async () => {
    await refusal((folder) => writeFile(checkpoint(folder), 'PK'.repeat(500)));
  });

  it('without a weight, or with one of another shape', async () => {
    expect(await refusal(rewrite((tensors) => tensors.delete('weights/head.0')))).toMatch(
      /lacks the weight 'head\.0' of shape \[3, 2, 1, 1, 1\]/,
    );
    expect(
      await refusal(
        rewrite((tensors) => {
          const bias = tensors.get('weights/head.1.bias');
          if (bias) tensors.set('weights/head.0', bias);
        }),
      ),
    ).toMatch(/lacks the weight 'head\.0'/);
  });

  it('of another controller', async () => {
    expect(await refusal(() => Promise.resolve(), 'evolution')).toMatch(/lacks the weight 'start'/);
  });

  it("without a part of the optimiser's state", async () => {
    expect(await refusal(rewrite((tensors) => tensors.delete('optimiser/0.firstMoment')))).toMatch(
      /no '0\.firstMoment'/,
    );
  });

  it('without its plain values', async () => {
    await refusal(rewrite(() => {}, {}));
    await refusal(rewrite(() => {}, { state: '{"step": "two"}' }));
  });
});
