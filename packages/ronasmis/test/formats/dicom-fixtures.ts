import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const numbers = z.array(z.number());
/** What pydicom and highdicom say: see make-dicom-fixtures.py. */
export const dicomFixtures = z
  .object({
    /** Keyword, tag and type of each element that is written. */
    dictionary: z.array(z.tuple([z.string(), z.number(), z.string()])),
    /** The bytes of a dataset. */
    encoded: z.base64(),
    /** Character sets, bytes, and the text that these are. */
    texts: z.array(z.tuple([z.string(), z.base64(), z.string()])),
    /** Label values on the grid of the series, `[slice, row, column]`: 2 and 5, of 2, 5 and 9. */
    labels: numbers,
    series: z.array(
      z.object({
        name: z.string(),
        files: z.record(z.string(), z.base64()),
        expected: z.object({
          frames: z.array(z.object({ segment: z.number(), source: z.string(), position: numbers, pixels: numbers })),
          orientation: numbers,
          spacing: numbers,
          segments: z.array(z.string()),
          patient: z.string(),
        }),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('dicom-fixtures.json', import.meta.url), 'utf8')));

/** Writes a series that has a frame of reference, a patient and a study, into a new folder in `root`; returns its path. */
export async function writeDicomSeries(root: string, { files } = dicomFixtures.series[0]): Promise<string> {
  const folder = await mkdtemp(join(root, 'series-'));
  for (const [file, packed] of Object.entries(files))
    await writeFile(join(folder, file), gunzipSync(Buffer.from(packed, 'base64')));
  return folder;
}
