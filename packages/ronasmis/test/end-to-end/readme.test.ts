import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { type Ended, startLine } from './command.ts';
import { copyCases, realDataSetsBySize } from './few-cases.ts';

// Four searches, and npm, which takes half a second to start, for each command: 35 s of one core.

const checkout = fileURLToPath(new URL('../../../..', import.meta.url));
const root = await temporaryFolder();
const textOf = (document: string): Promise<string> => readFile(join(checkout, document), 'utf8');
/** The README and the guides, in the order in which they are read. */
const documents = [
  'README.md',
  ...['setup', 'data', 'search', 'dashboard', 'study', 'predict', 'export', 'browser', 'memory', 'plan'].map(
    (guide) => `docs/${guide}.md`,
  ),
];
const texts = await Promise.all(documents.map(textOf));
/** How many searches the study of its guide is said to make. */
const [, searches] = /that is (\d+)\s+searches/.exec(await textOf('docs/study.md')) ?? [];
/** The same of the trainings of its headroom. */
const [, trainings] = /are (\d+) trainings/.exec(await textOf('docs/study.md')) ?? [];

/** How a command is run that is not run as it stands. */
type Change =
  | { readonly kind: 'leave out' }
  | { readonly kind: 'add'; readonly options: string }
  /** By Ctrl-C, once it has said the one on standard error; in the end it has said the other. */
  | { readonly kind: 'stop'; readonly once: RegExp; readonly says: RegExp };

const changes: readonly { readonly command: RegExp; readonly change: Change; readonly why: string }[] = [
  {
    command: /^npm start$/,
    change: { kind: 'leave out' },
    why: 'it takes three minutes and replaces runs/quickstart in the checkout',
  },
  {
    command: / (dashboard|serve) /,
    change: { kind: 'stop', once: /^Open this address/m, says: /^Open this address/m },
    why: 'it serves a page until it is stopped',
  },
  {
    command: / search /,
    change: { kind: 'add', options: '--epochs 1 --children 2' },
    why: 'it takes a quarter of an hour; of two limits the first that is reached ends it, and this one needs no clock',
  },
  {
    command: / --headroom$/,
    change: {
      kind: 'stop',
      once: /^Searching on /m,
      says: new RegExp(`^base-1, run 1 of ${trainings}$[^]*^Stopped\\. Type the same command again to go on\\.$`, 'm'),
    },
    why: 'it takes three hours; whole ones are in headroom.test.ts',
  },
  {
    command: / study /,
    change: {
      kind: 'stop',
      once: /^Searching on /m,
      says: new RegExp(`, search 1 of ${searches}$[^]*^Stopped\\. Type the same command again to go on\\.$`, 'm'),
    },
    why: 'it takes four hours; whole studies are in study.test.ts',
  },
];

/**
 * Every line of every sh block, and what stands in the text as `npx ronasmis` and a verb (not `VERB`), once each. What prepares an operating
 * system or npm stands in the text alone, so it is not among them.
 */
const commands = [
  ...new Set(
    texts
      .flatMap((text) => [...text.matchAll(/^```sh\n([\s\S]*?)^```$|`(npx ronasmis [a-z][^`]*)`/gm)])
      .flatMap(([, block, inline]) => (inline ? [inline] : block.split('\n')))
      .map((line) => line.replace(/\s+#.*/, '').trim())
      .filter((line) => line !== ''),
  ),
];

/** The files of a finished run's folder: those that the table of its page lists, but what it says a running search has alone. */
const runTable = await textOf('docs/reference/run-folder.md');
const runFiles = [...runTable.matchAll(/^\| `([^`]+)` \| (.*)$/gm)]
  .filter(([, , is]) => !is.includes('removed when the search stops'))
  .map(([, file]) => file)
  .sort();

/** What each verb has to leave, or to say: given its arguments and the values of its options. */
const outcomes: Readonly<Record<string, (args: readonly string[], options: Options, ended: Ended) => Promise<void>>> = {
  async search([dataSet], { out = join('runs', basename(dataSet)) }, { stdout }) {
    expect(await files(out)).toEqual(runFiles);
    expect(stdout).toMatch(/^Test Dice +\d/m);
  },
  async download([task], { out }, { stdout }) {
    expect(stdout).toBe(`${join(out, task)}\n`);
  },
  async inspect([dataSet], { html }, { stdout }) {
    const { name } = JSON.parse(await readFile(join(root, dataSet, 'dataset.json'), 'utf8'));
    expect(stdout).toContain(name);
    expect(await readFile(join(root, html), 'utf8')).toContain('<svg');
  },
  async study([dataSet, flag]) {
    const kind = flag === undefined ? 'study' : 'headroom';
    expect(await files(join('runs', `${basename(dataSet)}-${kind}`))).toContain(`${kind}.json`);
  },
  async resume([run], _, { stdout }) {
    expect(stdout).toContain(join(run, 'report.html'));
  },
  async dashboard(_, __, { stdout }) {
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  },
  async serve(_, __, { stdout }) {
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
  },
  async show([run], _, { stdout }) {
    expect(stdout).toContain(join(run, 'report.html'));
  },
  async predict([, scans], { out }) {
    expect(await files(out)).toEqual(await files(scans));
  },
  async export(_, { out, format }, { stdout }) {
    if (format === 'web') {
      expect(await files(out)).toEqual(['assets', 'index.html', 'model.json', 'model.onnx']);
      return;
    }
    expect((await readFile(join(root, out))).length).toBeGreaterThan(1e6);
    expect(stdout).toContain(out);
  },
  async plan(_, __, { stdout }) {
    expect(stdout).toMatch(/^3d_fullres +\d+ x \d+ x \d+ +\d+ .* [MG]iB$/m);
  },
  async evaluate([, labels], _, { stdout }) {
    for (const word of ['HD95 mm', 'NSD %', 'reference mm3']) expect(stdout).toContain(word);
    expect(stdout).toMatch(new RegExp(`^Mean Dice .*95 % interval.*, ${(await files(labels)).length} cases$`, 'm'));
  },
  async doctor(_, __, { stdout }) {
    expect(stdout).toContain('Ready to search.');
  },
};
type Options = Readonly<Record<string, string>>;

const files = async (folder: string): Promise<readonly string[]> => (await readdir(join(root, folder))).sort();

/** As in a shell of the user's: without what npm and vitest tell their own, with what keeps npm from the network. */
const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$|^NODE_|^VITEST/i.test(name))),
  npm_config_cache: join(root, '.npm'),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
  // `npm start` would set up the checkout, while other tests use it; setup.test.ts runs that.
  npm_config_ignore_scripts: 'true',
};

/** The folder stands for the checkout, and has what the commands are given. */
beforeAll(async () => {
  for (const part of ['package.json', 'scripts', 'packages', 'node_modules'])
    await symlink(join(checkout, part), join(root, part));
  const dataSet = join(root, 'path/to/my-scans');
  const [realDataSet] = await realDataSetsBySize();
  // As many as there are folds.
  if (realDataSet !== undefined) await copyCases(realDataSet, dataSet, 5);
  else await writePhantomDataSet(dataSet, { cases: 5, seed: 1 });
  for (const [kind, alone, ofTest] of [
    ['imagesTr', 'scans', 'imagesTs'],
    ['labelsTr', 'label-maps', 'labelsTs'],
  ]) {
    const to = (name: string): string => join(root, 'path/to', name);
    await cp(join(dataSet, kind), to(alone), { recursive: true });
    await mkdir(to(ofTest));
    for (const file of (await readdir(join(dataSet, kind))).sort().slice(0, 2))
      await cp(join(dataSet, kind, file), join(to(ofTest), file));
  }
  // What was downloaded is not downloaded again; how it is fetched is tested with a server of the tests.
  await cp(dataSet, join(root, 'data/Task05_Prostate'), { recursive: true });
});

async function run(command: string, change: Change | undefined): Promise<Ended> {
  const line = change?.kind === 'add' ? `${command} ${change.options}` : command;
  const { child, ended } = startLine(line, root, environment);
  if (change?.kind !== 'stop') return ended;
  let said = '';
  const hasSaid = new Promise<void>((resolve) => {
    child.stderr.on('data', (text) => {
      said += text;
      if (change.once.test(said)) resolve();
    });
  });
  await Promise.race([hasSaid, ended]);
  // The whole group, as a terminal does.
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  return ended;
}

describe('every command of the README and the guides does what it says there', () => {
  for (const command of commands) {
    const { change, why } = changes.find((one) => one.command.test(command)) ?? {};
    it.skipIf(change?.kind === 'leave out')(
      why === undefined ? command : `${command} (not as it stands: ${why})`,
      async () => {
        const [, verb, rest] = /^(?:npx ronasmis|npm start --) (\w+)(.*)$/.exec(command) ?? [];
        expect(Object.keys(outcomes)).toContain(verb);
        const option = /--(\S+) (\S+)/g;
        const options = Object.fromEntries([...rest.matchAll(option)].map(([, name, value]) => [name, value]));
        const args = rest.replaceAll(option, '').trim().split(/\s+/);
        const ended = await run(command, change);
        // npm ends by the signal, whatever the code of the program is that it had started.
        if (change?.kind === 'stop') expect(ended.stderr).toMatch(change.says);
        else expect(ended.code, ended.stderr).toBe(0);
        await outcomes[verb](args, options, ended);
      },
      300_000,
    );
  }
});

it('every script of npm that the README or a guide names is there', async () => {
  const { scripts } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
  const named = [...texts.join('\n').matchAll(/\bnpm (?:run (\S+?)|(start|test))(?=[`\s])/g)].map(
    ([, script, own]) => script ?? own,
  );
  expect(named).toContain('start');
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});
