import { expect, it } from 'vitest';
import { createState, type SearchState } from '../../src/search/state.ts';
import { trainOnce } from '../../src/search/training.ts';
import { chirpValues } from '../chirp.ts';
import { chirpLabel } from '../network/peer.ts';
import { tinyContext } from './tiny-context.ts';

const batch = {
  image: Float32Array.from(chirpValues(16 ** 3, 1)),
  label: chirpLabel(16 ** 3, 3, 3),
  plan: { patch: [16, 16, 16] as const, crops: [{ case: 0, offset: [0, 0, 0] as const, flip: false }] },
  release: () => {},
};

const kernel = (weights: SearchState['weights']): readonly number[] =>
  weights.get('encoder.0.conv2')?.toNumbers() ?? [];

it('judges by a moving average of the weights that is over a tenth of the training steps', () => {
  const state = createState(tinyContext, 'reinforce', 1);
  expect(kernel(state.averaged)).toEqual(kernel(state.weights));
  state.trainingSteps = 30;
  const before = kernel(state.averaged);
  trainOnce(tinyContext, state, tinyContext.space.base, batch);
  const after = kernel(state.weights);
  expect(after).not.toEqual(before);
  // The newest weights count as one of the 1 + 30 / 10 that are averaged.
  kernel(state.averaged).forEach((value, index) => {
    expect(value).toBeCloseTo((3 * before[index] + after[index]) / 4, 7);
  });
});
