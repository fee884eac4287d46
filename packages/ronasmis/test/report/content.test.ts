import { describe, expect, it } from 'vitest';
import { tellReport } from '../../src/report/content.ts';
import { gain, MICRO_ARCHITECTURE, reportContent } from './content.ts';

describe('what a report tells', () => {
  const content = reportContent();
  const told = tellReport({ ...content, report: { ...content.report, gain } });

  it('has the results, the costs and all cases', () => {
    expect(told).toMatchObject({ title: 'Kid<neys>', tested: { dice: 0.8812, cases: 42 } });
    expect(told.tested?.classes.map(({ name }) => name)).toEqual(['Anterior', 'Posterior & <tail>']);
    expect(told.tiles.map(({ value }) => value)).toEqual([
      ...['88.93 %', '15 min 2 s', '800', '1.26 M', '2.0 GiB', 'cpu, bf16'],
    ]);
    expect(told.cases.map(({ title, cases }) => [title, cases.length])).toEqual([
      ['Test cases', 42],
      ['Validation cases', 42],
    ]);
    expect(told.lead).toBe(
      'Architecture search of 2026-11-23 21:04 UTC · reinforce in the macro space · fold 0 of 5 held out as the test set',
    );
    expect(told.record.flatMap(({ rows }) => rows)).toContainEqual(['spacing.median', '1, 1, 1']);
    expect(told.gain?.worths[0]).toEqual(['dilation 2 at encoder level 0', '+0.60']);
  });

  it('has the steps, the architecture that was found, and the best of the children', () => {
    expect(told.rows.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(told.state).toMatchObject({ standing: 'finished', steps: 40, trainingSteps: 2400, folder: '/runs/kidneys' });
    expect(told.found.levels.flatMap(({ decoder }) => decoder?.skips ?? [])).toHaveLength(7);
    expect(told.children).toMatchObject({ total: 800 });
    expect(told.drawings).toHaveLength(400);
    expect(told.drawings[0]).toMatchObject({ title: 'Child 1 of step 1', child: { step: 1, index: 0, reward: 0.8 } });
  });

  it('has slices of the best, the median and the worst case as pictures', () => {
    expect(told.examples.map(({ rank, slices }) => [rank, slices.length])).toEqual([
      ['Best', 3],
      ['Median', 3],
      ['Worst', 3],
    ]);
    const [slice] = told.examples[0].slices;
    expect(slice).toMatchObject({ height: 48, width: 40, count: 20, pixelAspect: 1 });
    expect(slice.image).toMatch(/^data:image\/png;base64,/);
    expect(slice.contours.map(({ kind, index }) => `${kind} ${index}`)).toEqual([
      ...['reference 0', 'reference 1', 'prediction 0', 'prediction 1'],
    ]);
  });

  it('is JSON: nothing is lost on its way', () => {
    expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  });
});

describe('of other runs', () => {
  it('the cell of a child of the micro space, with its inputs and its loose ends', () => {
    const { found } = tellReport({ ...reportContent(2), architecture: MICRO_ARCHITECTURE });
    expect(found.cell?.looseEnds).toEqual([2, 3]);
    expect(found.cell?.nodes[1]).toEqual([
      { operation: '3x3x3 max pooling', input: 0 },
      { operation: '1x1x1 convolution', input: 1 },
    ]);
    expect(found.levels[0].encoder).toBe('cell');
  });

  it('from which step on patches were augmented, and until when scans were coarse', () => {
    expect(tellReport(reportContent(5)).notes.steps).toContain(
      'Training patches were rotated, scaled and changed in their intensities from step 4 on.',
    );
    const { events, ...others } = reportContent(3);
    const coarse = events.map((event) => ({ ...event, coarse: event.step < 3 }));
    expect(tellReport({ ...others, events: coarse }).notes.steps).toMatch(
      / Until step 2 scans were taken at half their resolution, and rewards are those of it\.$/,
    );
  });

  it('without steps, examples and test cases', () => {
    const { report, ...content } = reportContent(0);
    const nothing = { mean: null, classes: {}, cases: {} };
    const told = tellReport({ ...content, examples: [], report: { ...report, test_dice: nothing } });
    expect(told).toMatchObject({ tested: null, rows: [], examples: [], drawings: [], thinned: false });
    expect(told.cases.map(({ title }) => title)).toEqual(['Validation cases']);
  });

  it('of many steps, several in a row', () => {
    const { events, ...content } = reportContent(1600);
    const few = events.map((event) => ({ ...event, children: event.children.slice(0, 2) }));
    const told = tellReport({ ...content, events: few, examples: [] });
    expect(told.children.total).toBe(3200);
    expect(told.thinned).toBe(true);
    expect(told.rows).toHaveLength(800);
    expect(told.rows.at(-1)?.step).toBe(1600);
    // The largest part of a page, which has to stay below 10 MB.
    expect(JSON.stringify(told).length).toBeLessThan(3e6);
  });
});
