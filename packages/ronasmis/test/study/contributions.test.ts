import { describe, expect, it } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { SearchEvent } from '../../src/run/event.ts';
import { contributions } from '../../src/study/contributions.ts';
import { ARCHITECTURE, reportContent } from '../report/content.ts';

/** The example architecture with another dilation at encoder level 1, and the skips of decoder level 0. */
const child = (dilation: 1 | 2 | 3, skips: number[]): ChildArchitecture => ({
  ...ARCHITECTURE,
  encoder: ARCHITECTURE.encoder.map((level, i) => (i === 1 ? { ...level, dilation } : level)),
  decoder: ARCHITECTURE.decoder.map((level, i) => (i === 0 ? { ...level, skips } : level)),
});

/** A step of these children: [dilation, skips, reward]. */
function step(...evaluated: [1 | 2 | 3, number[], number][]): SearchEvent {
  const children = evaluated.map(([dilation, skips, reward]) => ({ architecture: child(dilation, skips), reward }));
  const mean = evaluated.reduce((sum, [, , reward]) => sum + reward, 0) / evaluated.length;
  return { ...reportContent(1).events[0], reward_mean: mean, children };
}

describe('contributions', () => {
  it('are relative to the mean of each step, by option, with standard errors', () => {
    // The second step is better all round: that is its weights' doing, not the choices'.
    const all = contributions([
      step([1, [0], 0.5], [1, [], 0.52], [2, [0], 0.3], [2, [], 0.28]),
      step([1, [0], 0.9], [1, [], 0.9], [2, [0], 0.7], [2, [], 0.7]),
    ]);
    expect(all.map(({ choice }) => choice)).toEqual([
      'dilation, encoder level 1',
      'skip of encoder level 0 to decoder level 0',
    ]);
    const [one, two] = all[0].options;
    expect(one).toMatchObject({ value: '1', children: 4 });
    expect(one.mean).toBeCloseTo(0.105, 12);
    expect(two.mean).toBeCloseTo(-0.105, 12);
    // numpy.std([0.1, 0.12, 0.1, 0.1], ddof=1) / 2
    expect(one.standard_error).toBeCloseTo(0.005, 12);
    for (const { mean } of all[1].options) expect(mean).toBeCloseTo(0, 12);
    expect(all[1].options.map(({ value }) => value)).toEqual(['no', 'yes']);
  });

  it('are none where all children are alike', () => {
    expect(contributions([])).toEqual([]);
    expect(contributions([step([1, [0], 0.5], [1, [0], 0.6])])).toEqual([]);
  });
});
