import { describe, expect, it } from 'vitest';
import { type Augmenting, augmentsFromStart, type CurvePoint, followCurve } from '../../src/search/augmenting.ts';

const recipe = { from_passes: 60, patience: 2 };

describe('from the start', () => {
  it('as it was said, or where passes are many', () => {
    expect(augmentsFromStart('on', 1, recipe)).toBe(true);
    expect(augmentsFromStart('off', 1000, recipe)).toBe(false);
    expect(augmentsFromStart('auto', 60, recipe)).toBe(false);
    expect(augmentsFromStart('auto', 61, recipe)).toBe(true);
    expect(augmentsFromStart('auto', 1000, { ...recipe, from_passes: null })).toBe(false);
  });
});

describe('by the validation curve', () => {
  const point = (reward_max: number | null, loss: number, coarse = false): CurvePoint => ({ reward_max, loss, coarse });

  /** After which of these steps, from 1, a run augments; 0: it does not. */
  const onAfter = (
    curve: readonly CurvePoint[],
    { patience = 2, when = 'auto' }: { readonly patience?: number | null; readonly when?: Augmenting['when'] } = {},
  ): number => {
    const augmenting: Augmenting = { when, curve: [], isOn: false };
    return (
      1 +
      curve.findIndex((one) => {
        followCurve(augmenting, one, { ...recipe, patience });
        return augmenting.isOn;
      })
    );
  };
  const overfitting = [point(0.5, 1), point(0.7, 0.8), point(0.69, 0.6), point(0.68, 0.5), point(0.8, 0.4)];

  it('once the best reward is some evaluations ago and the loss still falls', () => {
    expect(onAfter(overfitting)).toBe(4);
    expect(onAfter(overfitting, { patience: 3 })).toBe(0);
    expect(onAfter(overfitting, { patience: null })).toBe(0);
    expect(onAfter(overfitting, { when: 'off' })).toBe(0);
  });

  it('not where the loss does not fall either, nor where nothing is evaluated', () => {
    expect(onAfter([point(0.7, 0.5), point(0.6, 0.6), point(0.6, 0.7)])).toBe(0);
    expect(onAfter([point(null, 0.9), point(null, 0.8), point(null, 0.7), point(null, 0.6)])).toBe(0);
  });

  it('of the stage that the run is in: rewards at half the resolution are others', () => {
    const stages = [point(0.8, 0.9, true), point(0.7, 0.8, true), point(0.6, 0.7), point(0.5, 0.6), point(0.4, 0.5)];
    expect(onAfter(stages)).toBe(5);
  });

  it('and stays on, whatever rewards do', () => {
    const augmenting: Augmenting = { when: 'auto', curve: [], isOn: false };
    for (const one of [...overfitting, point(0.9, 0.3)]) followCurve(augmenting, one, recipe);
    expect(augmenting.isOn).toBe(true);
  });
});
