import { readFileSync } from 'node:fs';

/** One kind of bad input, as `docs/bad-input.md` describes it. */
export interface Row {
  readonly group: string;
  readonly wrong: string;
  readonly verbs: readonly string[];
  /** What is said, where `…` stands for any words. */
  readonly said: RegExp;
  readonly ends: 'error' | 'warning' | 'fine';
}

const endings: Readonly<Record<string, Row['ends']>> = { '2': 'error', '0, a warning': 'warning', '0': 'fine' };

/** The rows of every table in `docs/bad-input.md`. */
export function readTable(): readonly Row[] {
  const text = readFileSync(new URL('../../../../docs/bad-input.md', import.meta.url), 'utf8');
  let group = '';
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('## ')) group = line.slice(3);
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== 6 || cells[1].startsWith('---') || cells[1] === 'what is wrong') return [];
    const [, wrong, verbs, said, exit] = cells;
    if (!(exit in endings))
      throw new Error(`"${wrong}" ends with "${exit}", which is none of ${Object.keys(endings)}.`);
    return [{ group, wrong, verbs: verbs.split(', '), said: pattern(said), ends: endings[exit] }];
  });
}

function pattern(said: string): RegExp {
  const parts = said.split('…').map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'));
}
