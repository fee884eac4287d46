import { describe, expect, it } from 'vitest';
import { renderComparison } from '../../src/report/compare-page.ts';
import { compareContent, compareExample } from './compare-content.ts';

const { record, results } = compareContent();
const page = renderComparison(record, results, compareExample());
const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;

describe("a comparison's page", () => {
  it('is one page that requests nothing, with balanced elements and no value that is missing', () => {
    expect(page).not.toMatch(/<script|<link|https?:|url\((?!#)/);
    for (const name of ['section', 'svg', 'text', 'figure', 'table', 'tr', 'td', 'div', 'p', 'g', 'h3']) {
      expect(count(new RegExp(`<${name}[ >]`, 'g')), name).toBe(count(new RegExp(`</${name}>`, 'g')));
    }
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  });

  it('has the table with a column for each system, and a dash for what is not known', () => {
    const rowOf = (name: string) =>
      Array.from(
        new RegExp(`<tr><td>${name}</td>(.*?)</tr>`).exec(page)?.[1].matchAll(/<td class="number">([^<]*)</g) ?? [],
        ([, cell]) => cell,
      );
    expect(rowOf('mean')).toEqual(['80.00', '70.00', '–']);
    expect(rowOf('gland')).toEqual(['80.00', '70.00', '–']);
    expect(rowOf('HD95, mm')).toEqual(['3.50', '3.50', '–']);
    expect(rowOf('NSD at 1 mm, %')).toEqual(['50.00', '50.00', '–']);
    expect(rowOf('points of Dice')).toEqual(['–', '+10.00', '–']);
    // Three differences of one sign: two of the eight assignments of signs.
    expect(rowOf('p over cases')).toEqual(['–', '0.250', '–']);
    expect(rowOf('augmentation')).toEqual(['mirrored', 'no', 'mirrored']);
    expect(rowOf('ensemble')).toEqual(['no', 'yes', 'no']);
    expect(rowOf('inference')).toEqual(['one shot', 'weighted overlapped patches', 'one shot']);
    expect(rowOf('training')).toEqual(['2 min 0 s', '1 h 0 min', '–']);
    expect(rowOf('prediction, a case')).toEqual(['2.0 s', '2.0 s', '–']);
    expect(rowOf('peak memory in training')).toEqual(['1.0 GiB', '–', '–']);
    expect(rowOf('joules of training')).toEqual(['5400', '–', '–']);
    expect(rowOf('runs finished')).toEqual(['1 of 1', '1 of 1', '0 of 1']);
  });

  it('says what could not be run, escaped', () => {
    expect(page).toContain('<b>broken-fold0-seed1</b>: --python: &lt;none&gt; is there.');
    expect(page).toContain('Ours &amp; co');
    expect(page).toContain('Kid&lt;neys&gt;');
    const { 'broken-fold0-seed1': _, ...runs } = record.runs;
    const sound = results.systems.map((system) => ({ ...system, failures: [] }));
    expect(renderComparison({ ...record, runs }, { ...results, systems: sound })).not.toContain('could not be run');
  });

  it('has a dot for each run and a ring for each system over the time, which is logarithmic', () => {
    expect(count(/<circle class="ring level\d"/g)).toBe(2);
    expect(count(/<circle class="mark level\d"/g)).toBe(2 + 2);
    const places = Array.from(page.matchAll(/<circle class="ring level\d" cx="([\d.]+)"/g), ([, x]) => Number(x));
    const ticks = Array.from(
      page.matchAll(/<text class="tick" x="([\d.]+)" y="330"[^>]*>([^<]+)</g),
      ([, x, text]) => ({
        x: Number(x),
        text,
      }),
    );
    // From 1 min to 2 h; each doubling takes as much.
    const at = (text: string) => ticks.find((tick) => tick.text === text)?.x ?? Number.NaN;
    expect(ticks.map(({ text }) => text)).toEqual(['1 min', '5 min', '20 min', '1 h']);
    expect(at('1 h') - at('20 min')).toBeCloseTo(((at('5 min') - at('1 min')) * Math.log(3)) / Math.log(5), 0);
    expect(places[1]).toBeCloseTo(at('1 h'), 0);
  });

  it('shows the same slices of each system, whose scan is there once', () => {
    expect(count(/<image /g)).toBe(3);
    expect(count(/<use href="#slice-\d+"\/>/g)).toBe(3 * 2);
    expect(count(/<path class="reference/g)).toBe(3 * 3);
    expect(count(/<path class="prediction/g)).toBe(3);
    expect(page).toContain('Ours &amp; co 100.00, Theirs –');
    expect(renderComparison(record, results)).not.toContain('A typical case');
  });

  it('has the published table, as its authors have it and marked so', () => {
    expect(page).toContain('<td>Dice, prostate, %</td>');
    for (const figure of ['71.61', '72.04', '74.00', '74.14', '89.60', '92.72', '67.92', '75.71', 'RTX 2080Ti'])
      expect(page).toContain(figure);
    expect(page).toMatch(/its authors’ figures, not measured here/);
  });
});
