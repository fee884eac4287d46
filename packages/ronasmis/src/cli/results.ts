import type { DiceSummary } from '../evaluation/summary.ts';
import { activationName, levelSizes } from '../report/architecture-drawing.ts';
import { formatDice } from '../report/format.ts';
import type { RunRecord } from '../run/records.ts';
import type { Architecture } from '../space/architecture.ts';
import { table } from './output.ts';

/** An architecture as a table, a row a level. */
export function architectureText(architecture: Architecture, channels: readonly number[]): string {
  const sizes = levelSizes(architecture);
  const rows = architecture.encoder.map(({ pool, dilation, activation }, level) => {
    const decoder = architecture.decoder.at(level);
    return [
      String(level),
      sizes[level].join('x'),
      String(channels[level]),
      level === 0 ? '' : `${pool.depth}x${pool.plane}x${pool.plane}`,
      `dilation ${dilation} ${activationName(activation)}`,
      decoder === undefined ? '' : `dilation ${decoder.dilation} ${activationName(decoder.activation)}`,
      decoder === undefined ? '' : decoder.skips.join(', ') || 'none',
    ];
  });
  return table(['level', 'patch', 'channels', 'pooled by', 'encoder', 'decoder', 'adds encoder levels'], rows);
}

/** Dice in percent: the mean, then each class by its name. */
export function diceText(dice: DiceSummary, labels: RunRecord['labels']): string {
  const nameOf = (value: string) => labels.find((label) => String(label.value) === value)?.name ?? `label ${value}`;
  const classes = Object.entries(dice.classes).map(([value, mean]) => `${nameOf(value)} ${formatDice(mean)}`);
  return `${formatDice(dice.mean)} %  (${classes.join(', ')})`;
}
