import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readRun } from '../../src/run/read-run.ts';
import { run } from '../cli/run.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { dataSets } from './data-sets.ts';
import { files } from './files.ts';
import { headers } from './headers.ts';
import type { Inputs } from './inputs.ts';
import { layouts } from './layouts.ts';
import { options, predictions } from './options.ts';
import { forbidden, full, limited, outputs } from './outputs.ts';
import { plans } from './plans.ts';
import { runs, scans } from './runs.ts';
import { type Row, readTable } from './table.ts';
import { voxels } from './voxels.ts';

const inputs: Inputs = {
  ...files,
  ...headers,
  ...voxels,
  ...dataSets,
  ...layouts,
  ...outputs,
  ...forbidden,
  ...full,
  ...limited,
  ...runs,
  ...scans,
  ...options,
  ...predictions,
  ...plans,
};
const rows = readTable();
/** The group of what is noticed before anything is read. */
const words = 'Words of a command';
const root = await temporaryFolder();
await chmod(root, 0o755);

/** How a command ended, in this process or in one of its own. */
type Outcome = Awaited<ReturnType<typeof run>>;

const search = ['--epochs', '1', '--children', '1', '--folds', '3', '--device', 'cpu', '--precision', 'fp32'];
const study = ['--time', '1m', '--folds', '3', '--device', 'cpu', '--precision', 'fp32'];
const compare = ['--systems', 'ronasmis', ...study];
const withoutTime = study.slice(2);

/** The words of a command, before those of the input, which may say otherwise. */
function command(verb: string, wrong: string, out: string): readonly string[] {
  if (verb === 'search') return [verb, '--out', out, ...search];
  if (verb === 'study') return [verb, '--out', out, ...(wrong === 'A study without a time' ? withoutTime : study)];
  if (verb === 'compare') return [verb, '--out', out, ...compare];
  if (verb === 'predict') return [verb, '--out', out, '--device', 'cpu', '--precision', 'fp32'];
  if (verb === 'export') return [verb, '--out', out];
  return verb === 'inspect' ? [verb, '--folds', '3'] : [verb];
}

/** Runs a verb on a bad input, and tells what the folders around it hold before and after. */
async function meet({ wrong }: Row, verb: string) {
  const folder = await mkdtemp(join(root, 'case-'));
  await chmod(folder, 0o755);
  const words = await inputs[wrong](folder);
  const before = await filesIn(folder);
  const args = [...command(verb, wrong, join(folder, 'out')), ...words];
  const outcome = await runAs(wrong, folder, args);
  const after = await filesIn(folder);
  if (wrong in forbidden) execFileSync('chmod', ['-R', 'u+rwX', folder]);
  return { folder, outcome, before, after };
}

function runAs(wrong: string, folder: string, args: readonly string[]): Promise<Outcome> {
  if (wrong in forbidden) return asNobody(() => run(...args));
  if (wrong in limited) return inShell([], 'ulimit -f 32', args);
  if (!(wrong in full)) return run(...args);
  // A disk that this process alone sees; what is left on it is copied into a folder that is seen afterwards.
  const disk = join(folder, 'full');
  return inShell(
    ownMounts,
    `mount -t tmpfs -o size=64k none '${disk}'${wrong.includes('copied') ? `; export TMPDIR='${disk}'` : ''}`,
    args,
    `umask 0; mkdir '${disk}-left'; cp -r '${disk}/.' '${disk}-left';`,
  );
}

const ownMounts = ['unshare', '--map-root-user', '--mount'];
const mayMount = spawnSync(ownMounts[0], [...ownMounts.slice(1), 'true']).status === 0;

/** Files by their path and content; of what is no file, or may not be read, the path alone. */
async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }));
  const contents = paths.map(async ({ entry, path }) => [
    path,
    entry.isFile() ? await readFile(path, 'latin1').catch(() => '') : '',
  ]);
  return Object.fromEntries(await Promise.all(contents));
}

/** Runs something without the rights of the superuser, to whom nothing is forbidden. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isSuperuser = process.geteuid?.() === 0;
  if (isSuperuser) process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    if (isSuperuser) process.seteuid?.(0);
  }
}

const program = fileURLToPath(new URL('../../bin/ronasmis.mjs', import.meta.url));

/** Runs the built command line in a process of its own, behind a command of the shell. */
function inShell(shell: readonly string[], before: string, args: readonly string[], after = ''): Promise<Outcome> {
  const script = `${before}; "$0" "$@"; code=$?; ${after} exit $code`;
  const [first, ...words] = [...shell, 'bash', '-c', script, process.execPath, program, ...args];
  return new Promise((resolve) => {
    const child = execFile(first, words, (_, stdout, stderr) => resolve({ code: child.exitCode ?? 1, stdout, stderr }));
  });
}

function problemsOf({ stdout, stderr }: Outcome): readonly string[] {
  return `${stdout}\n${stderr}`.split('\n').filter((line) => /^(error|warning): /.test(line));
}

/** What a search had written before the disk was full is whole, and nothing else is there. */
async function expectWhole(before: object, after: object): Promise<void> {
  const added = Object.keys(after).filter((path) => !(path in before));
  const kept = added.filter((path) => path.includes('.prepared'));
  const ofRun = added.filter((path) => !kept.includes(path));
  expect(ofRun.map((path) => basename(path)).sort()).toEqual(['events.jsonl', 'run.json']);
  expect((await readRun(dirname(ofRun[0]))).events).toHaveLength(1);
  // The record is written after all that it is about.
  expect(kept.filter((path) => basename(path) === 'prepared.json')).toHaveLength(new Set(kept.map(dirname)).size);
}

it('every row of docs/bad-input.md has its input here, and every input its row', () => {
  expect(rows.map(({ wrong }) => wrong).sort()).toEqual(Object.keys(inputs).sort());
  expect(rows.length).toBeGreaterThan(60);
});

describe.each([...new Set(rows.map(({ group }) => group))])('%s', (group) => {
  const met = rows.filter((row) => row.group === group).flatMap((row) => row.verbs.map((verb) => ({ ...row, verb })));
  it.for(met)('$wrong ($verb)', async ({ verb, ...row }, { skip }) => {
    skip(row.wrong in full && !mayMount, "this system allows no mounts of one's own");
    const { folder, outcome, before, after } = await meet(row, verb);
    const problems = problemsOf(outcome);
    expect(outcome).toMatchObject({ code: row.ends === 'error' ? 2 : 0 });
    expect(outcome.stderr).not.toMatch(/^ +at |defect/m);
    if (row.ends === 'fine') {
      expect(outcome.stdout).toMatch(row.said);
      expect(problems).toEqual([]);
    } else {
      const [problem, ...more] = problems.filter((line) => line.startsWith(row.ends));
      expect(more).toEqual([]);
      expect(problem).toMatch(row.said);
      // A file by its path, or an option; what is wrong with the words alone is said by the parser in its own way.
      if (group !== words) expect(problem).toMatch(new RegExp(`(${folder}|--\\w).*[.?]$`));
    }
    if (verb === 'search' && (row.wrong in full || row.wrong in limited)) await expectWhole(before, after);
    else expect(after).toEqual(before);
  });
});
