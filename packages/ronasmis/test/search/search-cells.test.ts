import { join } from 'node:path';
import { readSafetensors } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, it } from 'vitest';
import { cellsSchema, type OpenCellsUNet } from '../../src/architecture/cells.ts';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { loadModel } from '../../src/inference/model.ts';
import { recipeSchema } from '../../src/recipe/recipe.ts';
import type { Progress } from '../../src/run/progress.ts';
import { readRun } from '../../src/run/read-run.ts';
import type { TrainingOptions } from '../../src/search/options.ts';
import { resume } from '../../src/search/resume.ts';
import { trainArchitecture } from '../../src/search/train-architecture.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { outcome } from './outcome.ts';

const root = await temporaryFolder();
const dataSet = join(root, 'Phantom');
const open: OpenCellsUNet = {
  kind: 'open_cells',
  patch: { depth: 8, height: 16, width: 16 },
  batch: 1,
  features: [4, 8],
  kernels: [
    [3, 3, 3],
    [3, 3, 3],
  ],
  strides: [
    [1, 1, 1],
    [1, 2, 2],
  ],
};
const options = (
  out: string,
  { warm_up_share = 0, ...training }: { readonly all_cases?: boolean; readonly warm_up_share?: number } = {},
): TrainingOptions => ({
  dataSet,
  out: join(root, out),
  epochs: 2,
  folds: 3,
  device: 'cpu',
  precision: 'fp32',
  recipe: recipeSchema.parse({
    search: { coarse_share: 0 },
    training: { steps_per_epoch: 6, ...training },
    inference: { window: 'patch', tile_step: 1 },
    cells: { sharpness: 50, warm_up_share },
  }),
});

beforeAll(() => writePhantomDataSet(dataSet, { cases: 6, seed: 1 }));

describe('a search of cells', () => {
  it('ends with a network of found cells, the same where it was stopped and went on', async () => {
    const { architecture } = await trainArchitecture(open, options('whole'));
    const { kind: _, ...layout } = open;
    expect(architecture).toMatchObject({ ...layout, kind: 'cells' });
    expect(cellsSchema.safeParse(architecture).success).toBe(true);
    const whole = await outcome(join(root, 'whole'));
    // It is evaluated at each step as the cells that are the likeliest then.
    expect(whole.events.map(({ children }) => children.map((child) => child.architecture.kind))).toEqual([
      ['cells'],
      ['cells'],
    ]);
    expect(whole.events.at(-1)?.children[0].architecture).toEqual(architecture);
    expect((await readRun(join(root, 'whole'))).run.settings.only_child).toEqual(open);
    // What is left is an ordinary network: no logits and no gates.
    const { weights } = await loadModel(join(root, 'whole'), 'cpu');
    expect([...weights.keys()].filter((name) => /^(gate|structure)/.test(name))).toEqual([]);

    const stop = new AbortController();
    const onProgress = ({ phase, step, done }: Progress): void => {
      if (phase === 'train' && step === 2 && done === 2) stop.abort();
    };
    const stopped = trainArchitecture(open, options('stopped'), { signal: stop.signal, onProgress });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    const { tensors } = await readSafetensors(join(root, 'stopped', 'checkpoint.safetensors'));
    const logits = [...tensors].filter(([name]) => name.startsWith('weights/structure.'));
    expect(logits).toHaveLength(14);
    // They have left the even choice.
    expect(logits.some(([, tensor]) => tensor.toNumbers().some((value) => value !== 0))).toBe(true);
    await resume(join(root, 'stopped'));
    expect(await outcome(join(root, 'stopped'))).toEqual(whole);
  }, 120_000);

  it('becomes surer of its operations once the weights have been warmed up, and needs no validation cases', async () => {
    const settings = { ...options('alone', { all_cases: true, warm_up_share: 0.3 }), epochs: 4 };
    const { report, architecture } = await trainArchitecture(open, settings);
    const { events } = await readRun(join(root, 'alone'));
    const entropies = events.flatMap(({ entropy }) => entropy ?? []);
    expect(entropies).toHaveLength(4);
    const even = 10 * Math.log(6) + 2 * Math.log(4) + 2 * Math.log(3);
    // Of four epochs two begin within three tenths.
    for (const entropy of entropies.slice(0, 2)) expect(entropy).toBeCloseTo(even, 10);
    expect(entropies[2]).toBeLessThan(even);
    expect(entropies[3]).toBeLessThan(entropies[2]);
    expect(events.map(({ children }) => children)).toEqual([[], [], [], []]);
    expect(architecture.kind).toBe('cells');
    expect(Object.keys(report.test_dice.cases)).toHaveLength(2);
  }, 120_000);
});
