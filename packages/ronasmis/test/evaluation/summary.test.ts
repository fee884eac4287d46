import { describe, expect, it } from 'vitest';
import { diceSummarySchema, patientMean, spreadOf, summariseDice } from '../../src/evaluation/summary.ts';

describe('summariseDice', () => {
  const cases = { a: { '1': 0.9, '2': 0.8 }, b: { '1': 0.5, '2': null }, c: { '1': null, '2': null } };

  it('averages classes within a patient, then patients, and leaves out what is undefined', () => {
    const summary = summariseDice(cases);
    expect(summary.mean).toBeCloseTo((0.85 + 0.5) / 2, 12);
    expect(summary.classes['1']).toBeCloseTo(0.7, 12);
    expect(summary.classes['2']).toBeCloseTo(0.8, 12);
    expect(summary.cases).toEqual(cases);
  });

  it('survives a run file', () => {
    const summary = summariseDice(cases);
    expect(diceSummarySchema.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
  });

  it('has no mean of nothing', () => {
    const nothing = { a: { '1': null }, b: {} };
    expect(patientMean(Object.values(nothing))).toBeNull();
    expect(summariseDice(nothing)).toEqual({ mean: null, classes: {}, cases: nothing });
    expect(diceSummarySchema.parse(JSON.parse(JSON.stringify(summariseDice(nothing))))).toEqual(summariseDice(nothing));
  });
});

describe('spreadOf', () => {
  it('is the sample standard deviation', () => {
    // np.std([1, 2, 4], ddof=1)
    expect(spreadOf([1, null, 2, 4])).toEqual({
      count: 3,
      mean: 7 / 3,
      deviation: expect.closeTo(1.5275252316519468, 12),
    });
    expect(spreadOf([3])).toEqual({ count: 1, mean: 3, deviation: 0 });
    expect(spreadOf([null])).toBeNull();
  });
});
