import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { reportContent } from '../report/content.ts';

/** Runs the command line in this process; returns its exit code and what it wrote. */
export async function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const catching = (name: 'stdout' | 'stderr') =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  const spies = [catching('stdout'), catching('stderr')];
  try {
    return { code: await main(args), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Writes the records of a run folder: of a finished search, or of one that goes on. */
export async function writeRunFolder(folder: string, finished: boolean): Promise<void> {
  const { run: record, architecture, report, events } = reportContent(5);
  await mkdir(folder, { recursive: true });
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await write('run.json', JSON.stringify(record));
  await write('events.jsonl', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  if (!finished) return;
  await write('architecture.json', JSON.stringify(architecture));
  await write('report.json', JSON.stringify(report));
}
