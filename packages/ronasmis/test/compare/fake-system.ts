import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { caseName } from '../../src/formats/case-names.ts';
import { readLabelMap } from '../../src/formats/read-volume.ts';
import type { System } from '../../src/systems/system.ts';
import { straight, writeStated } from '../formats/scans.ts';
import { writeTinyRun } from '../inference/tiny-run.ts';

const traits = {
  augmentation: 'mirrored',
  ensemble: false,
  testTimeAugmentation: true,
  postProcessing: false,
  inference: 'one shot',
} as const;

/** A system that trains nothing: it leaves a tiny run, whose network segments. */
export function fakeSystem(name: string, own: Partial<System> = {}): System {
  return { name, title: `The ${name}`, traits, train: ({ out }) => writeTinyRunInto(out), ...own };
}

/** A tiny run where there is none. */
export async function writeTinyRunInto(out: string): Promise<void> {
  if (existsSync(join(out, 'report.json'))) return;
  await mkdir(out, { recursive: true });
  await writeTinyRun(out);
}

/** Segments scans by looking at their label maps: right but for one class, which becomes another one. */
export const cheat =
  (wrong: number, becomes: number): NonNullable<System['segment']> =>
  async (_, scans, out) => {
    for (const scan of scans) {
      const { data, shape } = await readLabelMap(scan.replace('imagesTr', 'labelsTr'));
      await writeStated(join(out, `${caseName(scan)}.nii.gz`), {
        shape: shape.toReversed(),
        affine: straight(),
        data: Uint8Array.from(data, (value) => (value === wrong ? becomes : value)),
      });
    }
  };
