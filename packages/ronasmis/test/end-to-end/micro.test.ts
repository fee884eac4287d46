import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { readSafetensors } from '@ronasmis/libtorch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { readRun } from '../../src/run/read-run.ts';
import { dimensionsOf } from '../../src/run/run-record.ts';
import { toldIn } from '../report/content.ts';
import { ronasmis, start } from './command.ts';

const root = await mkdtemp(join(tmpdir(), 'ronasmis-micro-'));
const dataSet = join(root, 'Phantom');
const run = join(root, 'run');

beforeAll(() => writePhantomDataSet(dataSet, { cases: 8, seed: 3 }));
afterAll(() => rm(root, { recursive: true }));

it('a search in the micro space is stopped, resumed, shown, and segments scans as it reported', async () => {
  const options = '--space micro --folds 4 --epochs 3 --children 2 --seed 5 --controller reinforce'.split(' ');
  const { child, ended } = start('search', dataSet, '--out', run, ...options);
  while (!(await readdir(run).catch((): string[] => [])).includes('checkpoint.safetensors')) await setTimeout(20);
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);

  const resumed = await ronasmis('resume', run);
  expect(resumed.code, resumed.stderr).toBe(0);
  const { architecture, report, events, run: record } = await readRun(run);
  if (!architecture || !report) throw new Error('The search has not ended.');
  expect(record.settings.space).toBe('micro');
  expect(architecture).toMatchObject({ space: 'micro' });
  expect(events.map(({ step }) => step)).toEqual([1, 2, 3]);
  const { tensors } = await readSafetensors(join(run, 'model.safetensors'));
  const { parameters } = networkOf(architecture, dimensionsOf(record));
  expect([...tensors.keys()].sort()).toEqual(parameters.map(({ name }) => name).sort());

  const shown = await ronasmis('show', run);
  expect(shown.stdout).toMatch(/^node 3 .* of .* of /m);
  const told = toldIn(await readFile(join(run, 'report.html'), 'utf8'));
  expect(told.found.cell?.nodes).toHaveLength(3);

  const out = join(root, 'predictions');
  const scans = Object.keys(report.test_dice.cases).map((name) => join(dataSet, 'imagesTr', `${name}.nii.gz`));
  const predicted = await ronasmis('predict', run, ...scans, '--out', out);
  expect(predicted.code, predicted.stderr).toBe(0);
  const evaluated = await ronasmis('evaluate', out, join(dataSet, 'labelsTr'), '--json');
  expect(JSON.parse(evaluated.stdout).dice).toEqual(report.test_dice);
}, 120_000);
