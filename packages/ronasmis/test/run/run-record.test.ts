import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { runKey } from '../../src/run/run-key.ts';
import { classNamesOf, dimensionsOf, recordDimensions, runSchema } from '../../src/run/run-record.ts';
import { reportContent } from '../report/content.ts';

const { run } = reportContent(1);

describe('run.json', () => {
  it('takes any name for controller and space: they may be someone else’s', () => {
    const settings = { ...run.settings, controller: 'hillClimbing', space: 'undilated' };
    expect(runSchema.parse({ ...run, settings }).settings).toMatchObject({
      controller: 'hillClimbing',
      space: 'undilated',
    });
  });

  it('of a version that knew of fewer things is read with what they were then', () => {
    const { regions: _, channel_files: __, ...others } = run;
    const { flat_levels: ___, ...network } = run.network;
    const old = runSchema.parse({ ...others, network });
    expect(old).toMatchObject({ regions: [], channel_files: false });
    expect(old.network.flat_levels).toBe(0);
    expect([old.normalisation, old.orientation, old.spacing, old.settings.memory_bytes]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it('of before augmentation could be left to the run, says on or off', () => {
    const augments = (augment: unknown) =>
      runSchema.parse({ ...run, settings: { ...run.settings, augment } }).settings.augment;
    expect([true, false, 'auto'].map(augments)).toEqual(['on', 'off', 'auto']);
    expect(() => augments('sometimes')).toThrow();
  });

  it('needs a label for each class, and a normalisation for each channel', () => {
    expect(() => runSchema.parse({ ...run, labels: run.labels.slice(1) })).toThrow(/not one label for each class/);
    expect(() => runSchema.parse({ ...run, normalisation: [] })).toThrow(/not one normalisation for each channel/);
  });
});

it('the key of a run is that of its copy, and no other run has it', () => {
  expect(runKey(JSON.parse(JSON.stringify(run)))).toBe(runKey(run));
  expect(runKey(run)).toMatch(/^[0-9a-f]{16}$/);
  const settings = (changed: Partial<typeof run.settings>) => ({ ...run, settings: { ...run.settings, ...changed } });
  const others = [
    { ...run, created: '2026-11-23T21:04:11.124Z' },
    settings({ seed: 2 }),
    settings({ fold: 1 }),
    settings({ controller: 'ppo' }),
    { ...run, fingerprint: { ...run.fingerprint, sha256: 'other' } },
  ];
  expect(new Set([run, ...others].map(runKey)).size).toBe(6);
  // Where it ran and with how much time makes it no other one.
  expect(runKey(settings({ data_set: '/elsewhere', time_seconds: 3 }))).toBe(runKey(run));
});

it('dimensions come back from the record', () => {
  const count = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(count, count, fc.integer({ min: 0, max: 5 }), (channels, classes, flatLevels) => {
      const dimensions = networkDimensions(channels, classes, flatLevels);
      expect(dimensionsOf({ network: recordDimensions(dimensions) })).toEqual(dimensions);
    }),
  );
});

it('a Dice is called what its label is, or its region', () => {
  const regions = [{ name: 'whole', values: [1, 2] }];
  expect(classNamesOf({ labels: run.labels, regions })).toEqual({
    '0': 'background',
    '1': 'Anterior',
    '2': 'Posterior & <tail>',
    whole: 'whole',
  });
});
