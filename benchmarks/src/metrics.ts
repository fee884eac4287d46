import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLabelMap } from 'ronasmis/data';
import { type ClassScores, scoreClasses } from 'ronasmis/evaluation';
import { type Bench, pythonWith, say } from './bench.ts';
import { testCases } from './data.ts';
import { openPeer, withPeer } from './peer.ts';
import { takeTurns, timed } from './rounds.ts';
import { type Row, timeRow } from './row.ts';
import { mean } from './statistics.ts';
import type { Size } from './training.ts';

const rounds = 9;
const most = 20;
const tolerance = 1;

interface Pair {
  readonly prediction: Uint8Array;
  readonly reference: Uint8Array;
  readonly shape: Size;
  readonly spacing: Size;
}

/** Dice, HD95 and NSD of label maps that are in memory. The prediction is the label, a voxel further along each axis. */
export async function metrics(bench: Bench): Promise<readonly Row[]> {
  const python = pythonWith(bench, 'monai', 'the metrics');
  if (!python) return [];
  const pairs = await Promise.all(testCases(bench.data, most).map(({ label }) => readPair(label)));
  const score = (): readonly ClassScores[] =>
    pairs.flatMap(({ prediction, reference, shape, spacing }) => [
      ...scoreClasses(prediction, reference, { shape, spacing, toleranceMillimetres: tolerance }).values(),
    ]);
  return withPeer(
    openPeer(python, 'metrics.py', { tolerance, pairs: await writePairs(pairs, bench.temporary) }),
    async (peer) => {
      compareScores(score(), peer.about.split(' ').map(Number));
      const { ours, theirs } = await takeTurns(rounds, () => timed(score), peer.repeat);
      const each = { ours: ours / pairs.length, theirs: theirs / pairs.length };
      return [timeRow('Dice, HD95 and NSD of a case', 'MONAI', each, { atLeast: 5 })];
    },
  );
}

async function readPair(file: string): Promise<Pair> {
  const volume = await readLabelMap(file);
  const { shape, spacing } = volume;
  const reference = Uint8Array.from(volume.data);
  const [, height, width] = shape;
  const step = height * width + width + 1;
  const prediction = new Uint8Array(reference.length);
  prediction.set(reference.subarray(0, reference.length - step), step);
  return { prediction, reference, shape, spacing };
}

/** As files of raw values, for the peer. */
function writePairs(pairs: readonly Pair[], folder: string): Promise<readonly unknown[]> {
  return Promise.all(
    pairs.map(async ({ prediction, reference, shape, spacing }, i) => {
      const files = { prediction: join(folder, `prediction-${i}`), reference: join(folder, `reference-${i}`) };
      await writeFile(files.prediction, prediction);
      await writeFile(files.reference, reference);
      return { ...files, shape, spacing };
    }),
  );
}

/** Both must have found the same, else their times say nothing. */
function compareScores(scores: readonly ClassScores[], theirs: readonly number[]): void {
  const known = (values: readonly (number | null)[]): number => mean(values.filter((value) => value !== null));
  const ours = [
    known(scores.map(({ dice }) => dice)),
    known(scores.map(({ hd95_mm }) => hd95_mm)),
    known(scores.map(({ nsd }) => nsd)),
  ];
  if (ours.every((value, i) => Math.abs(value - theirs[i]) <= 1e-4 * Math.max(1, value))) return;
  say(`Warning: mean Dice, HD95 and NSD are ${ours.join(', ')} here and ${theirs.join(', ')} with MONAI.`);
}
