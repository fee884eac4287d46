import { expect, it } from 'vitest';
import { createSearchState, type SearchState } from '../../src/search/state.ts';
import { chirpValues } from '../chirp.ts';
import { chirpLabel } from '../network/peer.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { trainOnce } from './train-once.ts';

const batch = {
  image: Float32Array.from(chirpValues(16 ** 3, 1)),
  label: chirpLabel(16 ** 3, 3, 3),
  plan: { patch: [16, 16, 16] as const, crops: [{ case: 0, offset: [0, 0, 0] as const, flip: [] }] },
};

const kernel = (weights: SearchState['trainer']['weights']): readonly number[] =>
  weights.get('encoder.0.conv2')?.toNumbers() ?? [];

it('evaluates by a moving average of the weights that is over a tenth of the training steps', () => {
  const state = createSearchState(tinyContext, 'reinforce', 1);
  expect(kernel(state.trainer.averaged)).toEqual(kernel(state.trainer.weights));
  state.trainer.steps = 30;
  const before = kernel(state.trainer.averaged);
  trainOnce(tinyContext, state, tinyContext.space.base, batch);
  const after = kernel(state.trainer.weights);
  expect(after).not.toEqual(before);
  // The newest weights count as one of the 1 + 30 / 10 that are averaged.
  kernel(state.trainer.averaged).forEach((value, index) => {
    expect(value).toBeCloseTo((3 * before[index] + after[index]) / 4, 7);
  });
});
