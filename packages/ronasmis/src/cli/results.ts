import type { Architecture } from '../architecture/architecture.ts';
import { type Cell, looseEnds, operations, sourceName } from '../architecture/cell.ts';
import type { DiceSummary } from '../evaluation/summary.ts';
import { formatDice } from '../report/format.ts';
import { levelsOf, type NetworkShape } from '../report/levels.ts';
import { joinedNote } from '../report/run-words.ts';
import { classNamesOf, type RunRecord } from '../run/run-record.ts';
import { table } from './output.ts';

/** An architecture as a table, a row a level; below it the cell that its levels have in common, if they do. */
export function architectureText(architecture: Architecture, network: NetworkShape): string {
  const isChild = architecture.kind === undefined;
  const rows = levelsOf(architecture, network).map(({ size, channels, stride, encoder, decoder }, level) => [
    String(level),
    size.join('x'),
    String(channels),
    level === 0 ? '' : stride.join('x'),
    encoder,
    decoder?.block ?? '',
    decoder === undefined ? '' : decoder.skips.join(', ') || 'none',
  ]);
  const [down, up] = isChild ? ['pooled by', 'adds encoder levels'] : ['stride', 'joins encoder levels'];
  const levels = table(['level', 'patch', 'channels', down, 'encoder', 'decoder', up], rows);
  const parts = [
    levels,
    isChild && 'cell' in architecture ? cellText(architecture.cell) : '',
    joinedNote(architecture),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A cell as a table, a row a node. */
function cellText(cell: Cell): string {
  const terms = cell.map((node, index) => [
    sourceName(index + 1),
    ...node.map(({ operation, input }) => `${operations[operation].name} of ${sourceName(input)}`),
  ]);
  return table(['cell', 'adds', 'and'], [...terms, ['output', looseEnds(cell).map(sourceName).join(' + '), '']]);
}

/** Dice in percent: the mean, then each class by its name. */
export function diceText(dice: DiceSummary, run: RunRecord): string {
  const names = classNamesOf(run);
  const classes = Object.entries(dice.classes).map(([name, mean]) => `${names[name] ?? name} ${formatDice(mean)}`);
  return `${formatDice(dice.mean)} %  (${classes.join(', ')})`;
}
