import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { readArchitecture, requireFit } from '../../src/search/architecture-file.ts';
import { microSpace } from '../../src/space/micro.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { prepared } from './prepared-case.ts';
import { tinyContext } from './tiny-context.ts';

const root = await temporaryFolder();
const { base } = tinyContext.space;

async function written(text: string): Promise<string> {
  const file = join(await mkdtemp(join(root, 'file-')), 'architecture.json');
  await writeFile(file, text);
  return file;
}

it.each([base, microSpace([16, 16, 16], tinyContext.dimensions).base])('reads what a run folder has', async (child) => {
  expect(await readArchitecture(await written(JSON.stringify(child)))).toEqual(child);
});

it('fits scans that are cropped by less than what its poolings join, and none that are smaller', () => {
  expect(() => requireFit(base, [prepared('small', [9, 16, 16]), prepared('cropped', [16, 15, 16])])).not.toThrow();
  expect(() => requireFit({ ...base, patch: { ...base.patch, width: 32 } }, [prepared('small', [16, 16, 16])])).toThrow(
    UserError,
  );
});

describe('a file that says no network is refused in a sentence that names it', () => {
  const [first, ...encoder] = base.encoder;
  const [finest, ...decoder] = base.decoder;
  const bad: [string, string, RegExp][] = [
    ['that is not JSON', '{"space": "macro",', /\(this is not valid JSON: /],
    ['of something else', '{"fold": 1}', /\(at patch: /],
    [
      'with a dilation that there is not',
      JSON.stringify(base).replace('"dilation":1', '"dilation":4'),
      /\(at encoder\.0\.dilation: /,
    ],
    ['with a misspelt name', JSON.stringify({ ...base, wdith: 3 }), /wdith/],
    [
      'with a patch of no voxels',
      JSON.stringify({ ...base, patch: { ...base.patch, depth: 0 } }),
      /\(at patch\.depth: /,
    ],
    [
      'that pools the scan',
      JSON.stringify({ ...base, encoder: [{ ...first, pool: { depth: 1, plane: 2 } }, ...encoder] }),
      /\(at encoder\.0\.pool: nothing is pooled before the full resolution\)/,
    ],
    [
      'with a skip from where the decoder begins',
      JSON.stringify({ ...base, decoder: [{ ...finest, skips: [0, 4] }, ...decoder] }),
      /\(at decoder\.0\.skips: the decoder begins with encoder level 4\)/,
    ],
    [
      'with a patch of which its poolings leave less than a voxel',
      JSON.stringify({ ...base, patch: { ...base.patch, depth: 1 } }),
      /\(at patch: of 1 x .* voxels, poolings of .* in all leave less than one\)/,
    ],
    [
      'with a skip twice',
      JSON.stringify({ ...base, decoder: [{ ...finest, skips: [0, 0] }, ...decoder] }),
      /\(at decoder\.0\.skips: an encoder level is named twice\)/,
    ],
  ];
  it.each(bad)('%s', async (_, text, why) => {
    const file = await written(text);
    const error = await readArchitecture(file).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(`${file} describes no network (`);
    expect(String(error)).toMatch(why);
    expect(String(error)).toMatch(/: compare it with the architecture\.json of a run folder\.$/);
  });

  it('that is not there', async () => {
    const file = join(root, 'none.json');
    await expect(readArchitecture(file)).rejects.toThrow(`${file} can't be read (`);
  });
});
