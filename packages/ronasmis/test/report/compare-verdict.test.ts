import { describe, expect, it } from 'vitest';
import { compareCaveats, compareVerdict, givenSentences } from '../../src/report/compare-verdict.ts';
import { compareContent } from './compare-content.ts';

const { record, results } = compareContent();
const [comparison] = results.comparisons;

describe('the verdict', () => {
  it('has the order, and how far the first is ahead', () => {
    expect(compareVerdict(results)).toEqual([
      'Mean test Dice, the highest first: Ours & co 80.00 %, Theirs 70.00 %.',
      'Ours & co against Theirs: +10.00 points of test Dice (p 0.250 over cases, corrected). These networks can’t be told apart on these cases.',
    ]);
    const alone = results.systems.slice(0, 1);
    expect(compareVerdict({ ...results, systems: alone, comparisons: [] })).toEqual([
      'Mean test Dice: Ours & co 80.00 %.',
    ]);
    const clear = { ...comparison, interval: { low: 0.05, high: 0.15 }, p_holm: 0.01 };
    expect(compareVerdict({ ...results, comparisons: [clear] })[1]).toContain(
      '(95 % interval over runs: +5.00 to +15.00; p 0.010 over cases, corrected). On these cases, these networks differ.',
    );
  });
});

describe('the caveats', () => {
  const said = (change: Partial<typeof results>) => compareCaveats(record, { ...results, ...change }).join('\n');

  it('are of this comparison', () => {
    expect(said({})).toContain('3 test cases: so few say little');
    expect(said({ test_cases: 100 })).not.toContain('so few');
    expect(said({})).toContain('One run of each system says nothing of the spread');
    expect(said({ seeds: 3 })).toContain('seeds of one fold share its training and test cases');
    expect(said({})).toContain('Each training was given 2 min 0 s');
    expect(said({})).toContain('count as 0 in Dice and NSD: Ours & co 1, Theirs 1.');
    expect(said({ seeds: 3 })).toContain('The figures of Theirs are of 1 of 3 runs.');
    expect(said({})).toContain('With 3 test cases it can’t be below 0.250.');
    expect(said({ test_cases: 6 })).not.toContain('can’t be below');
    expect(said({ comparisons: [] })).not.toContain('Wilcoxon');
  });
});

it('what each was given is written', () => {
  const given = givenSentences(record, results).join('\n');
  expect(given).toContain(
    'the same scans, fold 0 of 5, 1 seed, 2 min 0 s from reading the first scan to its report, memory as it was free, and A processor, 2 threads (cpu in fp32)',
  );
  const ours = record.runs['ours-fold0-seed1'];
  if (ours.state !== 'finished') throw new Error('It has finished.');
  const runs = { ...record.runs, 'ours-fold0-seed1': { ...ours, from: 'runs/heart' } };
  expect(givenSentences({ ...record, runs }, results).at(-1)).toContain('were given runs/heart.');
});
