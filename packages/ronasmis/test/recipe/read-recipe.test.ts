import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { readRecipe } from '../../src/recipe/read-recipe.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';

const folder = await mkdtemp(join(tmpdir(), 'ronasmis-recipe-'));

async function written(text: string): Promise<string> {
  const path = join(folder, `${Math.random()}.json`);
  await writeFile(path, text);
  return path;
}

describe('readRecipe', () => {
  it("takes 'paper' as the published one", async () => {
    expect(await readRecipe('paper')).toBe(paperRecipe);
  });

  it('takes a file as changes of the default', async () => {
    const path = await written('{ "training": { "learning_rate": 0.001 } }');
    const expected = { ...defaultRecipe, training: { ...defaultRecipe.training, learning_rate: 0.001 } };
    expect(await readRecipe(path)).toEqual(expected);
  });

  it.each([
    ['{ "training": { "rate": 1 } }', /training.*rate/],
    ['{ "training": { "learning_rate": "fast" } }', /training\.learning_rate/],
    ['{', /not valid JSON/],
    ['[]', /is no recipe/],
  ])('says what is wrong with %s, and how to fix it', async (text, pattern) => {
    const path = await written(text);
    const error: unknown = await readRecipe(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(pattern);
    expect(String(error)).toContain(path);
  });

  it('says that it is a folder', async () => {
    await expect(readRecipe(folder)).rejects.toThrow(/is a folder: give a JSON file/);
  });

  it('says that there is none', async () => {
    await expect(readRecipe(join(folder, 'none.json'))).rejects.toThrow(/there is no such recipe/);
  });

  it.skipIf(process.getuid?.() === 0)('says that it may not read it', async () => {
    const path = await written('{}');
    await chmod(path, 0);
    await expect(readRecipe(path)).rejects.toThrow(/can't be read/);
  });
});
