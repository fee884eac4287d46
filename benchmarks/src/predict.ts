import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Bench, pythonWith, say } from './bench.ts';
import { ronasmis, runCommand } from './command.ts';
import { type TestData, testCases } from './data.ts';
import { openPeer, type Python } from './peer.ts';
import { type Row, timeRow } from './row.ts';
import { median } from './statistics.ts';

/** nnU-Net takes seconds for each case: fewer where there are other topics to measure. */
const most = { alone: 40, amongAll: 12 };
/** Cases of the search that makes a network when no finished one is there. */
const few = 10;

/** Segmenting scans from files to files, the whole process from its start to its end. */
export async function predict(bench: Bench): Promise<readonly Row[]> {
  const python = pythonWith(bench, 'nnunetv2', 'the prediction');
  if (!python) return [];
  const run = bench.finishedRun ?? (await shortSearch(bench.data, bench.temporary));
  const images = testCases(bench.data, bench.whole ? most.amongAll : most.alone).map(({ images: [image] }) =>
    resolve(image),
  );
  const ours = (): Promise<number> => ronasmis('predict', run, ...images, '--out', join(bench.temporary, 'predicted'));
  say('predict: nnU-Net plans');
  const theirs = await prepareNnunet(python, bench, images);
  say(`predict: ${images.length} cases, here and by nnU-Net`);
  const first = [await ours(), await ours()];
  const times = { theirs: await theirs(), ours: median([...first, await ours()]) };
  const name = `predicting ${images.length} cases, files to files, the whole process`;
  return [timeRow(name, 'nnU-Net v2 with its defaults, once', times, { atLeast: 50 })];
}

/** A network that is hardly trained: its prediction takes as long as another's. */
async function shortSearch({ dataSet }: TestData, temporary: string): Promise<string> {
  say('predict: a short search, for no finished one is there');
  const description: unknown = JSON.parse(await readFile(join(dataSet.folder, 'dataset.json'), 'utf8'));
  const training = dataSet.cases
    .slice(0, few)
    .map(({ images: [image], label }) => ({ image: resolve(image), label: resolve(label) }));
  const folder = join(temporary, 'few');
  await mkdir(folder);
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(Object.assign({}, description, { training })));
  const out = join(temporary, 'short-run');
  await ronasmis('search', folder, '--out', out, '--epochs', '1', '--children', '1');
  return out;
}

/** Everything that nnUNetv2_predict needs; gives what runs it. */
async function prepareNnunet(
  python: Python,
  { data, temporary }: Bench,
  images: readonly string[],
): Promise<() => Promise<number>> {
  const folder = join(temporary, 'nnunet');
  const input = join(folder, 'input');
  const { cases, labels } = data.dataSet;
  const peer = await openPeer(
    python,
    'nnunet.py',
    {
      folder,
      scans: cases.map(({ images: [image] }) => resolve(image)),
      labels: cases.map(({ label }) => resolve(label)),
      classes: labels.length,
      images,
      input,
    },
    180,
  );
  await peer.close();
  say(`predict: nnU-Net's patch is ${peer.about}`);
  const environment = Object.fromEntries(
    ['raw', 'preprocessed', 'results'].map((part) => [`nnUNet_${part}`, join(folder, part)]),
  );
  const entry = 'from nnunetv2.inference.predict_from_raw_data import predict_entry_point; predict_entry_point()';
  const options = ['-d', '1', '-c', '3d_fullres', '-f', '0', '-device', 'cpu'];
  return () =>
    runCommand(python.path, ['-c', entry, '-i', input, '-o', join(folder, 'output'), ...options], environment);
}
