import { readVolume } from 'ronasmis/data';
import { mapConcurrently } from 'ronasmis/internal';
import { type Bench, pythonWith } from './bench.ts';
import { openPeer, withPeer } from './peer.ts';
import { takeTurns, timedAsync } from './rounds.ts';
import { type Row, timeRow } from './row.ts';

const rounds = 9;
const most = 40;

/** Reading the scans of a data set as arrays of their voxels. */
export async function files(bench: Bench): Promise<readonly Row[]> {
  const { dataSet } = bench.data;
  const python = pythonWith(bench, 'nibabel', 'the reading of files');
  if (!python) return [];
  const scans = dataSet.cases.slice(0, most).flatMap(({ images }) => images);
  // As a search reads a data set.
  const read = async (): Promise<void> => {
    await mapConcurrently(scans, readVolume);
  };
  return withPeer(openPeer(python, 'files.py', { files: scans }), async (peer) => {
    const { ours, theirs } = await takeTurns(rounds, () => timedAsync(read), peer.repeat);
    const each = { ours: ours / scans.length, theirs: theirs / scans.length };
    return [timeRow('reading a .nii.gz file', `nibabel, ${peer.about}`, each, { atLeast: 1.5 })];
  });
}
