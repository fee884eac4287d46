import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { writePhantomDataSet } from '../../../src/data/phantom.ts';
import { readRun } from '../../../src/run/read-run.ts';
import { scnas, scnasTransfer } from '../../../src/systems/scnas/scnas.ts';
import type { System } from '../../../src/systems/system.ts';
import { run as runVerb } from '../../cli/run.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../../formats/scans.ts';
import { writeTinyRun } from '../../inference/tiny-run.ts';

// An epoch of a few steps in place of 250: what happens is the same.
vi.mock(import('../../../src/systems/overlapped.ts'), async (original) => {
  const { overlappedRecipe } = await original();
  const training = { ...overlappedRecipe.training, steps_per_epoch: 3 };
  return { overlappedRecipe: { ...overlappedRecipe, training } };
});

const root = await temporaryFolder();
const phantom = join(root, 'Phantom');
const boxes = join(root, 'Boxes');
const options = {
  dataSet: phantom,
  folds: 3,
  fold: 1,
  epochs: 4,
  seed: 4,
  device: 'cpu',
  precision: 'fp32',
} as const;

beforeAll(async () => {
  await writePhantomDataSet(phantom, { cases: 6, seed: 1 });
  const random = createRandom(2);
  await writeDataSet(
    boxes,
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => boxCase(name, random, [16, 16, 16])),
  );
});

/** Trains until a run folder is in training, and stops there. */
async function trainUntil(folder: string, system: System, out: string): Promise<void> {
  const controller = new AbortController();
  const onProgress = ({ phase, step }: { readonly phase: string; readonly step: number }): void => {
    if (phase === 'train' && step === 2 && existsSync(join(folder, 'run.json'))) controller.abort();
  };
  const stopped = system.train({ ...options, out }, { signal: controller.signal, onProgress });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
}

describe('scnas', () => {
  const out = join(root, 'scnas');

  it('searches cells for half of the epochs and trains them in the others, and goes on in either where it was stopped', async () => {
    await trainUntil(join(out, 'search'), scnas, out);
    expect(existsSync(join(out, 'run.json'))).toBe(false);
    await trainUntil(out, scnas, out);
    const search = await readRun(join(out, 'search'));
    expect(search.run.settings).toMatchObject({ epochs: 2, fold: 1, seed: 4, only_child: { kind: 'open_cells' } });
    expect(search.report).toBeDefined();
    await scnas.train({ ...options, out }, {});
    const { run, report, architecture, events } = await readRun(out);
    expect(run.settings).toMatchObject({ epochs: 2, fold: 1, seed: 4 });
    expect(run.settings.earlier_seconds).toBe(search.report?.seconds);
    expect(architecture).toEqual(search.architecture);
    expect(architecture).toMatchObject({
      kind: 'cells',
      batch: 2,
      features: [16, 32, 64, 128].slice(0, architecture?.kind === 'cells' ? architecture.features.length : 0),
    });
    expect(events).toHaveLength(2);
    expect(report?.test_dice.cases).toEqual({});
  }, 240_000);

  it('repeats nothing that has finished, with or without its search', async () => {
    const { report } = await readRun(out);
    await scnas.train({ ...options, out }, {});
    await rm(join(out, 'search'), { recursive: true });
    await scnas.train({ ...options, out }, {});
    expect((await readRun(out)).report).toEqual(report);
    expect(existsSync(join(out, 'search'))).toBe(false);
  });

  it('leaves an ordinary run: show, predict and export take it', async () => {
    const shown = await runVerb('show', out);
    expect(shown.code).toBe(0);
    const scan = join(phantom, 'imagesTr', 'phantom_001.nii.gz');
    const predicted = await runVerb('predict', out, scan, '--out', join(root, 'labels'));
    expect(predicted).toMatchObject({ code: 0 });
    expect(existsSync(join(root, 'labels', 'phantom_001.nii.gz'))).toBe(true);
    const exported = await runVerb('export', out, '--out', join(root, 'scnas.onnx'));
    expect(exported).toMatchObject({ code: 0, stdout: expect.stringContaining('Checked by ONNX Runtime') });
  }, 60_000);

  it('scnas-transfer takes its cells over to other channels, classes and sizes', async () => {
    const transferred = join(root, 'transfer');
    await scnasTransfer.train({ ...options, dataSet: boxes, epochs: 2, out: transferred, from: out }, {});
    const [from, to] = [await readRun(out), await readRun(transferred)];
    if (from.architecture?.kind !== 'cells' || to.architecture?.kind !== 'cells') throw new Error('They are of cells.');
    expect(to.architecture.cells).toEqual(from.architecture.cells);
    expect(to.architecture.patch).not.toEqual(from.architecture.patch);
    expect([from.run.network.input_channels, to.run.network.input_channels]).toEqual([2, 1]);
    expect([from.run.network.classes, to.run.network.classes]).toEqual([4, 3]);
    expect(to.run.settings.epochs).toBe(2);
    expect(to.report?.test_dice.cases).toEqual({});
  }, 120_000);
});

describe('scnas-transfer is refused before anything is made', () => {
  const out = join(root, 'refused');
  const transfer = (from?: string) => scnasTransfer.train({ ...options, out, ...(from !== undefined && { from }) }, {});

  it('without a run to take cells from', async () => {
    await expect(transfer()).rejects.toThrow(
      'scnas-transfer takes the cells of another run: name the run folder of one of scnas with --from.',
    );
  });

  it('from a run without cells', async () => {
    await mkdir(join(root, 'tiny'));
    const tiny = await writeTinyRun(join(root, 'tiny'));
    await expect(transfer(tiny)).rejects.toThrow(`${tiny} has no cells, so scnas-transfer can take none`);
  });

  it('from a run that has not finished', async () => {
    await mkdir(join(root, 'begun'));
    const begun = await writeTinyRun(join(root, 'begun'));
    await rm(join(begun, 'report.json'));
    await expect(transfer(begun)).rejects.toThrow(/begun: this search has not finished/);
    expect(existsSync(out)).toBe(false);
  });
});
