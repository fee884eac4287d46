import { expect, it } from 'vitest';
import { parseLine } from '../../../src/systems/nnunet-python/lines.ts';

it('a line of the Python program is what it says', () => {
  const line = '{"event": "step", "epoch": 3, "done": 7, "total": 250, "loss": -0.25}';
  expect(parseLine(line)).toEqual({ event: 'step', epoch: 3, done: 7, total: 250, loss: -0.25 });
});

it.each(['NaN', 'Infinity', '-Infinity'])('a loss of %s, which is no JSON, is none', (loss) => {
  expect(parseLine(`{"event": "step", "epoch": 0, "done": 1, "total": 2, "loss": ${loss}}`)).toMatchObject({
    loss: null,
  });
});

it.each(['', 'Using device: cpu', '{"event": "step"}', '{"event": "other"}', '[1]', '{"event": "step",'])(
  'what something else has printed is no line: %j',
  (text) => {
    expect(parseLine(text)).toBeUndefined();
  },
);
