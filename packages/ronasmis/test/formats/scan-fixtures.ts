import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/** Files that SimpleITK and pydicom wrote, and what nibabel read from them as NIfTI: see make-scan-fixtures.py. */
export const scanFixtures = z
  .array(
    z.object({
      name: z.string(),
      path: z.string(),
      files: z.record(z.string(), z.string()),
      shape: z.array(z.number()),
      affine: z.array(z.array(z.number())),
      values: z.array(z.number()),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('scan-fixtures.json', import.meta.url), 'utf8')));

/** Writes the files of a fixture into a new folder in `root`; returns the path of the scan. */
export async function writeScanFixture(root: string, name: string): Promise<string> {
  const fixture = scanFixtures.find((candidate) => candidate.name === name);
  if (!fixture) throw new Error(`no fixture ${name}`);
  const folder = await mkdtemp(join(root, 'scän '));
  for (const [file, packed] of Object.entries(fixture.files)) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), gunzipSync(Buffer.from(packed, 'base64')));
  }
  return join(folder, fixture.path);
}
