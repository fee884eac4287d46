import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planNnunet } from '../../../src/systems/nnunet/plan.ts';
import { readPlanInputs } from '../../../src/systems/nnunet/plan-inputs.ts';

const folder = join(process.env.RONASMIS_TEST_DATA ?? 'nowhere', '..', 'nnunet-plans');
const tasks = existsSync(folder) ? readdirSync(folder) : [];
const files = { default: 'plans_default.json', m: 'plans_resenc_m.json', l: 'plans_resenc_l.json' } as const;

describe('x', () => {
  for (const task of tasks)
    for (const preset of ['default', 'm', 'l'] as const)
      it(`${task} ${preset}`, async () => {
        const inputs = await readPlanInputs(
          join(folder, task, 'dataset_fingerprint.json'),
          join(folder, task, 'dataset.json'),
        );
        const start = performance.now();
        const plan = JSON.parse(JSON.stringify(planNnunet({ ...inputs, preset })));
        console.log(performance.now() - start);
        const expected = JSON.parse(readFileSync(join(folder, task, files[preset]), 'utf8'));
        const got = Object.fromEntries(Object.keys(expected).map((key) => [key, plan[key]]));
        expect(got).toStrictEqual(expected);
      });
});
