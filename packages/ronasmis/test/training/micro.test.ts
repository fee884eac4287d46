import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { createSearchState } from '../../src/search/state.ts';
import { microSpace } from '../../src/space/micro.ts';
import { outlookOf } from '../controller/outlook.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { trainOnce } from './train-once.ts';

const context = { ...tinyContext, space: microSpace([16, 16, 16], tinyContext.dimensions) };

/** A bright ball of class 1 with a dark core of class 2, in noise. */
function ball() {
  const random = createRandom(1);
  const size = 16;
  const label = Uint8Array.from({ length: size ** 3 }, (_, i) => {
    const [x, y, z] = [i % size, Math.floor(i / size) % size, Math.floor(i / size ** 2)];
    const distance = Math.hypot(x - 7, y - 8, z - 8);
    return distance < 3 ? 2 : Number(distance < 6);
  });
  const image = Float32Array.from(label, (value) => [0, 2, -2][value] + random.uniform());
  const crop = { case: 0, offset: [0, 0, 0], flip: [] } as const;
  return { image, label, plan: { patch: [size, size, size], crops: [crop] } as const };
}

it.each([
  ['the base cell', 0.75, [microSpace([16, 16, 16], tinyContext.dimensions).baseChoices]],
  // What one cell learns for the shared kernels, the next has to make do with.
  ['another cell at every step', 0.85, undefined],
])('%s trains: the loss falls', (_, share, only) => {
  const state = createSearchState(context, 'random', 1);
  const batch = ball();
  const steps = 240;
  const choices = state.controller.proposeForTraining(steps, state.random, outlookOf(10));
  const children = (only ? Array<(typeof only)[0]>(steps).fill(only[0]) : choices).map(context.space.decode);
  const losses = children.map((child) => trainOnce(context, state, child, batch));
  const mean = (some: readonly number[]): number => some.reduce((sum, loss) => sum + loss, 0) / some.length;
  expect(mean(losses.slice(-30))).toBeLessThan(share * mean(losses.slice(0, 30)));
});
