import { describe, expect, it } from 'vitest';
import { IGNORED_CLASS } from '../../src/data/description.ts';
import { toLabel } from '../../src/engine/to-device.ts';
import { classesToClean, countClasses, scoresOf } from '../../src/search/class-counts.ts';
import { prepared } from './prepared-case.ts';
import { tinyContext } from './tiny-context.ts';

/** A row of voxels, a digit each; `x` where nothing is scored. */
const row = (digits: string) => {
  const classes = Uint8Array.from(digits, (digit) => (digit === 'x' ? IGNORED_CLASS : Number(digit)));
  return toLabel(classes, [1, 1, 1, digits.length], 'cpu');
};
const context = { ...tinyContext, ignoredValue: 9 };
const countsOf = (prediction: string, label: string) =>
  countClasses(row(prediction), row(label), context, { outsideCrop: [0, 0, 0], components: true });

describe('small components', () => {
  it('are not scored of the classes that are cleaned', () => {
    // Of the first class, the island is wrong; of the second, it is right.
    const counts = countsOf('1110010222202', '1110000222202');
    expect(scoresOf(counts, context, [])).toEqual({ 2: 6 / 7, 5: 1 });
    expect(scoresOf(counts, context, [1])).toEqual({ 2: 1, 5: 1 });
    expect(scoresOf(counts, context, [1, 2])).toEqual({ 2: 1, 5: 8 / 9 });
    expect(classesToClean([counts], context)).toEqual([1]);
  });

  it('are left where the cases together are worse without them', () => {
    const [wrong, right] = [countsOf('11100010', '11100000'), countsOf('11110001', '11110001')];
    expect(classesToClean([wrong], context)).toEqual([1, 2]);
    expect(classesToClean([right], context)).toEqual([2]);
    expect(classesToClean([wrong, right], context)).toEqual([1, 2]);
    expect(classesToClean([wrong, right, right], context)).toEqual([2]);
  });

  it('are left of what is in pieces in a training label', () => {
    const counts = [countsOf('11100010', '11100000')];
    const cases = [1, 2].map((index) => ({ ...prepared(`case ${index}`, [1, 1, 8]), scattered: [index] }));
    const trainedOn = (training: readonly string[]) => ({ ...context, cases, split: { ...context.split, training } });
    expect(classesToClean(counts, trainedOn(['case 1']))).toEqual([2]);
    expect(classesToClean(counts, trainedOn(['case 1', 'case 2']))).toEqual([]);
  });

  it('do not count where nothing is scored, but the largest is found there too', () => {
    const counts = countsOf('11111010', 'xxxxx010');
    expect(scoresOf(counts, context, [])).toEqual({ 2: 1, 5: null });
    expect(scoresOf(counts, context, [1])).toEqual({ 2: 0, 5: null });
  });
});
