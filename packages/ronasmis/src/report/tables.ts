import type { DiceSummary } from '../evaluation/summary.ts';
import type { RunRecord } from '../run/run-record.ts';
import { formatDice } from './format.ts';
import { type Html, html } from './html.ts';

/** Dice in percent, a row a case and a column a class. */
export function caseTable(dice: DiceSummary, classNames: Readonly<Record<string, string>>): Html {
  const labels = Object.keys(dice.classes);
  const head = labels.map((label) => html`<th class="number">${classNames[label] ?? `label ${label}`}</th>`);
  const rows = Object.entries(dice.cases).map(([name, scores]) => {
    const cells = labels.map(
      (label) => html`<td class="number">${scores[label] == null ? '–' : formatDice(scores[label])}</td>`,
    );
    return html`<tr><td>${name}</td>${cells}</tr>`;
  });
  return html`<table><tr><th>case</th>${head}</tr>${rows}</table>`;
}

/** Everything `run.json` says, a row a value, nested names joined by dots. */
export function settingsTable(run: RunRecord): Html {
  const rows = flatten('', run).map(([name, value]) => html`<tr><td>${name}</td><td>${value}</td></tr>`);
  return html`<table>${rows}</table>`;
}

/** A JSON value as pairs of a dotted name and a text; lists of plain values stay together. */
export function flatten(name: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return [[name, value === null ? 'none' : String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return [[name, value.join(', ')]];
  return Object.entries(value).flatMap(([key, item]) => flatten(name === '' ? key : `${name}.${key}`, item));
}
