import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { readRecord, readRun } from '../../src/run/read-run.ts';
import { studySchema } from '../../src/run/study-record.ts';
import { run as ronasmis, writeRunFolder } from '../cli/run.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { MICRO_ARCHITECTURE, reportContent } from '../report/content.ts';
import { fuzz, timeout, userErrorNaming } from './harness.ts';
import { mutatedJson } from './json.ts';

const root = await temporaryFolder();
const { run, architecture, report, events } = reportContent(2);
const { engine, settings, version, created } = run;

/** A JSON file, valid ones of its kind, and what reads it. */
interface Reader {
  readonly folder: string;
  readonly name: string;
  readonly seeds: readonly unknown[];
  readonly read: () => Promise<unknown>;
}

/** A file of a run folder of its own; whatever is read is also shown. */
async function ofRun(name: string, seeds: readonly unknown[]): Promise<Reader> {
  const folder = join(root, name);
  await writeRunFolder(folder, true);
  const read = async () => {
    await readRun(folder);
    expect((await ronasmis('show', folder)).code).toBe(0);
  };
  return { folder, name, seeds, read };
}

async function ofDataSet(): Promise<Reader> {
  const folder = join(root, 'data');
  await writeDataSet(
    folder,
    ['a', 'b'].map((name) => boxCase(name, createRandom(1))),
  );
  const training = ['a', 'b'].map((name) => ({ image: `imagesTr/${name}.nii.gz`, label: `labelsTr/${name}.nii.gz` }));
  const decathlon = { name: 'Boxes', modality: { 0: 'MRI' }, labels: { 0: 'background', 1: 'box' } };
  const nnunet = { channel_names: { 0: 'CT' }, labels: { background: 0, box: 1 }, file_ending: '.nii.gz' };
  return { folder, name: 'dataset.json', seeds: [{ ...decathlon, training }, nnunet], read: () => readDataSet(folder) };
}

async function ofStudy(): Promise<Reader> {
  const folder = join(root, 'study');
  await mkdir(folder);
  const record = { version, created, settings, engine, joules: { 'random-1': 3, 'ppo-1': null }, results: {} };
  return { folder, name: 'study.json', seeds: [record], read: () => readRecord(folder, 'study.json', studySchema) };
}

const readers = await Promise.all([
  ofRun('run.json', [run, { ...run, orientation: 'RAS', normalisation: [{ kind: 'z_score' }] }]),
  ofRun('architecture.json', [architecture, MICRO_ARCHITECTURE]),
  ofRun('report.json', [report]),
  ofRun(
    'events.jsonl',
    events.map((event) => ({ ...event, children: event.children.slice(0, 2) })),
  ),
  ofDataSet(),
  ofStudy(),
]);

test(
  'a damaged JSON file is refused in a sentence that names it, or is read',
  async () => {
    const inputs = fc
      .constantFrom(...readers)
      .chain((reader) => fc.record({ reader: fc.constant(reader), bytes: mutatedJson(reader.seeds) }));
    const read = async ({ reader: { folder, name, read }, bytes }: { reader: Reader; bytes: Uint8Array }) => {
      await writeFile(join(folder, name), name === 'events.jsonl' ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes);
      await read();
    };
    await fuzz(inputs, read, userErrorNaming(root));
  },
  timeout,
);
