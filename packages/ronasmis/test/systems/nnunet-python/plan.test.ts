import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPlan } from '../../../src/systems/nnunet-python/plan.ts';
import { temporaryFolder } from '../../formats/scans.ts';
import { plansOf } from './stand-in.ts';

const folder = await temporaryFolder();

async function written(name: string, plans: unknown): Promise<string> {
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(plans));
  return file;
}

it('the planned network is one of ours, at its spacing, with CT by the intensities of the cases that were planned for', async () => {
  const plan = await readPlan(await written('straight', plansOf(['CT', 'T1'])));
  expect(plan).toMatchObject({
    architecture: { kind: 'unet', patch: { depth: 24, height: 40, width: 40 }, batch: 2, features: [32, 64, 128, 256] },
    spacing: [2, 1, 1],
    normalisations: [{ kind: 'data_set', low: 10, high: 250, mean: 100, deviation: 20 }, { kind: 'z_score' }],
  });
});

it("axes that nnU-Net has turned are the scan's again", async () => {
  const plans = plansOf(['T1']);
  // The thick slices lie along the width: nnU-Net has taken them to the front.
  const turned = { ...plans, transpose_forward: [2, 0, 1], transpose_backward: [1, 2, 0] };
  expect(await readPlan(await written('turned', turned))).toMatchObject({
    architecture: { patch: { depth: 40, height: 40, width: 24 } },
    spacing: [1, 1, 2],
  });
});

it('what is normalised within what is not zero, or otherwise, is none of our normalisations', async () => {
  const masked = await readPlan(await written('masked', plansOf(['CT', 'T1'], { relativeSize: 0.5 })));
  expect(masked.normalisations).toEqual([expect.objectContaining({ kind: 'data_set' }), { kind: 'masked_z_score' }]);
  const other = await readPlan(await written('other', plansOf(['noNorm'])));
  expect(other.normalisations).toEqual([undefined]);
});

it('plans of another form, and of no network of three dimensions, are refused with a sentence', async () => {
  await expect(readPlan(await written('broken', {}))).rejects.toThrow(
    /broken.json: this nnU-Net plans networks of another form/,
  );
  const { '2d': slices } = plansOf(['T1']).configurations;
  const flat = await written('flat', { ...plansOf(['T1']), configurations: { '2d': slices } });
  await expect(readPlan(flat)).rejects.toThrow(/no network of three dimensions/);
});
