import { join } from 'node:path';
import { formatDice } from 'ronasmis/internal';
import { type RunFiles, readRun } from 'ronasmis/run';
import { type Bench, say } from './bench.ts';
import { ronasmis } from './command.ts';
import { type Row, ratioRow } from './row.ts';

/** nnU-Net v2's time to the same Dice, measured earlier on a machine of two cores with AMX. */
const nnunetSeconds = 36 * 60;
const wantedDice = 0.837;
const wantedSeconds = 120;

/** A whole search on real scans, as a user types it: its Dice, its time, and what the time went into. */
export async function search(bench: Bench): Promise<readonly Row[]> {
  const { dataSet, real } = bench.data;
  if (!real) {
    say('Left out: the search, for RONASMIS_TEST_DATA names no folder with data sets.');
    return [];
  }
  say(`search: ${wantedSeconds} s`);
  const out = join(bench.temporary, 'run');
  const seconds = await ronasmis(
    'search',
    dataSet.folder,
    '--out',
    out,
    '--fold',
    '0',
    '--time',
    '115s',
    '--seed',
    '1',
  );
  bench.finishedRun = out;
  const run = await readRun(out);
  const dice = run.report?.test_dice.mean ?? 0;
  const whole: Row = {
    name: `search to a test Dice of ${formatDice(wantedDice)} %: reached ${formatDice(dice)} %`,
    against: 'nnU-Net v2, measured earlier',
    ours_seconds: seconds,
    theirs_seconds: nnunetSeconds,
    ratio: nnunetSeconds / seconds,
    goal: `>= ${nnunetSeconds / wantedSeconds}, with that Dice`,
    reached: dice >= wantedDice && seconds <= wantedSeconds,
  };
  const useful = usefulSeconds(run);
  const share = ratioRow('share of the search that trains or evaluates children', 'its whole time', useful / seconds, {
    atLeast: 0.95,
  });
  return [whole, { ...share, ours_seconds: useful, theirs_seconds: seconds }];
}

/** Seconds in which children were trained or evaluated, those of the test cases included. */
function usefulSeconds({ events, report }: RunFiles): number {
  return events.reduce(
    (sum, { training_seconds, evaluation_seconds }) => sum + training_seconds + evaluation_seconds,
    report?.evaluation_seconds ?? 0,
  );
}
