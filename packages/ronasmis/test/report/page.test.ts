import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/report/page.ts';
import { flatten } from '../../src/report/tables.ts';
import { MICRO_ARCHITECTURE, reportContent } from './content.ts';

describe('renderReport', () => {
  const page = renderReport(reportContent());

  it('is one page that requests nothing', () => {
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|<link|https?:|url\((?!#)/);
    const references = [...page.matchAll(/(?:src|href)="([^"]{0,30})/g)].map((match) => match[1]);
    expect(references).toHaveLength(9);
    expect(references.every((reference) => reference.startsWith('data:image/png;base64,'))).toBe(true);
  });

  it('has balanced elements and no value that is missing', () => {
    const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;
    for (const name of ['section', 'svg', 'g', 'text', 'figure', 'table', 'tr', 'td', 'div', 'span']) {
      expect(count(new RegExp(`<${name}[ >]`, 'g')), name).toBe(count(new RegExp(`</${name}>`, 'g')));
    }
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  });

  it('escapes names', () => {
    expect(page).toContain('Kid&lt;neys&gt;');
    expect(page).toContain('Posterior &amp; &lt;tail&gt;');
    expect(page).not.toContain('<tail>');
  });

  it('shows results, costs, every case and every addition', () => {
    for (const text of ['88.12', '88.93 %', '15 min 2 s', '1.26 M', '2.0 GiB', 'cpu, bf16', '800'])
      expect(page).toContain(text);
    expect([...page.matchAll(/data-label="case_001 ·/g)]).toHaveLength(3);
    expect([...page.matchAll(/class="skip level/g)]).toHaveLength(7);
    expect(page).toContain('patch 32 × 48 × 32');
    expect(page).toContain('fingerprint.spacing.median');
  });

  it('draws the cell of a child of the micro space: its six inputs and its two loose ends', () => {
    const micro = renderReport({ ...reportContent(2), architecture: MICRO_ARCHITECTURE });
    const drawing = micro.slice(micro.indexOf('<h2>Its cell'), micro.indexOf('The search, step by step'));
    for (const name of ['3x3x3 convolution', '3x3x3 max pooling', '1x1x1 convolution', 'dilated 3x3x3 convolution'])
      expect(drawing).toContain(`>${name}</text>`);
    expect([...drawing.matchAll(/class="skip level(\d)"/g)].map(([, from]) => from)).toEqual([
      ...['0', '0', '0', '1', '1', '0', '2', '3'],
    ]);
    expect(micro).toContain('>cell</text>');
    expect(micro).not.toMatch(/undefined|NaN|\[object/);
    expect(page).not.toContain('Its cell');
  });

  it('says from which step on patches were augmented', () => {
    const note = (steps: number): string | undefined =>
      /Training patches were[^.]*\./.exec(renderReport(reportContent(steps)))?.[0];
    expect(note(5)).toBe('Training patches were rotated, scaled and changed in their intensities from step 4 on.');
    expect(note(2)).toBeUndefined();
  });

  it('says what searched, and draws no curve of an entropy that there is not', () => {
    expect(page).toContain('reinforce in the macro space');
    expect(page).toContain('Entropy, nats');
    const content = reportContent(3);
    const without = renderReport({ ...content, events: content.events.map((event) => ({ ...event, entropy: null })) });
    expect(without).not.toContain('Entropy, nats');
    expect(without).toContain('Training loss');
  });

  it('stands a search without steps and without examples', () => {
    expect(renderReport({ ...reportContent(0), examples: [] })).toContain('No step was finished');
  });
});

it('flatten names every value', () => {
  expect(flatten('', { a: [1, 2], b: { c: null, d: [{ e: 'x' }] } })).toEqual([
    ['a', '1, 2'],
    ['b.c', 'none'],
    ['b.d.0.e', 'x'],
  ]);
});
