import pc from 'picocolors';
import { mean } from '../base/statistics.ts';

/** Colours for a stream: none unless it is a terminal, nor where NO_COLOR asks for none. */
export function coloursOf(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  return pc.createColors(stream.isTTY === true && !process.env.NO_COLOR);
}

/** Ends the program where what it prints can't be written; what is said of its progress may go nowhere. */
export function watchOutput(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early (`ronasmis show RUN | head`) is no defect.
    if (error.code === 'EPIPE') process.exit(0);
    const why = error.code === 'ENOSPC' ? 'the disk is full. Free some space' : `${error.message}. Write it elsewhere`;
    note(`${coloursOf(process.stderr).red('error:')} standard output can't be written: ${why}.`);
    process.exit(2);
  });
}

/** Writes a line to standard output, where results go. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a value as the one JSON document on standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Writes a line to standard error, where everything goes that is no result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Says on standard error what kept some of several items from being worked on, a line each. */
export function printProblems(problems: readonly string[]): void {
  const { red } = coloursOf(process.stderr);
  for (const problem of problems) note(`${red('error:')} ${problem}`);
}

/**
 * Lines up cells in columns: the first column to the left, the others to the right, under a dim head.
 * @param rows cells of each row, as many as `head` has
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('   ')
      .trimEnd();
  return [coloursOf(process.stdout).dim(line(head)), ...rows.map(line)].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';

/** Values as a row of bars from their smallest to their largest; a long row is averaged down to `width`. */
export function sparkline(values: readonly number[], width = 60): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count));
    return mean(part);
  });
  const low = Math.min(...means);
  const range = Math.max(...means) - low;
  const bar = (value: number) => BARS[range === 0 ? 0 : Math.round(((value - low) / range) * (BARS.length - 1))];
  return means.map(bar).join('');
}
