import { describe, expect, it } from 'vitest';
import { renderStudy } from '../../src/report/study-page.ts';
import { verdict } from '../../src/report/study-verdict.ts';
import { studyContent } from './study-content.ts';

const { record, results } = studyContent({ low: 0.002, high: 0.018 });
const page = renderStudy(record, results);

describe("a study's page", () => {
  it('is one page that requests nothing, with balanced elements and no value that is missing', () => {
    expect(page).not.toMatch(/<script|<link|https?:|url\((?!#)/);
    for (const name of ['section', 'svg', 'text', 'figure', 'table', 'tr', 'td', 'div', 'p']) {
      const count = (pattern: string) => [...page.matchAll(new RegExp(pattern, 'g'))].length;
      expect(count(`<${name}[ >]`), name).toBe(count(`</${name}>`));
    }
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  });

  it('has a dot for each search, each child alone and each option, and a curve with a band for each contestant', () => {
    const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;
    expect(count(/<circle class="mark level\d"/g)).toBe(21 + 2);
    expect(count(/<circle class="mark accent"/g)).toBe(12);
    expect(count(/<path class="band level\d"/g)).toBe(7);
  });

  it('has names escaped, figures, costs and what they cannot say', () => {
    expect(page).toContain('Kid&lt;neys&gt;');
    for (const text of ['86.00 ± 1.23', '+1.00', '+0.20 to +1.80', '0.049', '2 min 0 s', '5400', '60 evaluations'])
      expect(page).toContain(text);
    expect(page).toContain('cases do not replace seeds');
  });

  it('gives a single seed no deviation', () => {
    const single = results.contestants.map((one) => ({ ...one, test_dice: { count: 1, mean: 0.5, deviation: 0 } }));
    expect(renderStudy(record, { ...results, contestants: single })).toContain('>50.00<');
  });

  it('stands a study without children alone and without choices', () => {
    const alone = { children: [], with_validation: null, with_test: null };
    expect(renderStudy(record, { ...results, alone, contributions: [] })).toContain('There is nothing to show.');
  });
});

describe('the verdict', () => {
  const said = (lead: { low: number; high: number } | null, tauP?: number) =>
    verdict(studyContent(lead, tauP).results).join('\n');

  it('calls better or worse only what goes beyond the spread between seeds', () => {
    expect(said({ low: 0.002, high: 0.018 }).match(/It was better, beyond the spread/g)).toHaveLength(3);
    expect(said({ low: -0.018, high: -0.002 })).toMatch(/random search: −1\.00 points .* It was worse/);
    expect(said({ low: -0.01, high: 0.03 }).match(/no difference can be told from chance/g)).toHaveLength(3);
    expect(said(null)).toContain('with one seed, which says nothing of the spread');
  });

  it('calls a ranking shown only where it is unlikely by chance', () => {
    expect(said(null, 0.02)).toContain(
      "Kendall's tau 0.55 (p 0.020, 12 children). The shared weights rank children partly",
    );
    expect(said(null, 0.02)).toContain("of the reward's own cases: 0.31 (p 0.180).");
    expect(said(null, 0.2)).toContain('is not shown');
  });
});
