import { readFile } from 'node:fs/promises';
import { codeOf, reasonOf, UserError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { paperRecipe } from './paper.ts';
import { type Recipe, recipeSchema } from './recipe.ts';

/**
 * The recipe that `--recipe` says: `paper` is the published RONASMIS, all else a JSON file with the constants that are to be others than the
 * default recipe's, by section.
 * @throws UserError where there is no such file, or it holds what no recipe has
 */
export async function readRecipe(named: string): Promise<Recipe> {
  if (named === 'paper') return paperRecipe;
  const text = await readFile(named, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT')
      throw new UserError(`${named}: there is no such recipe: give a JSON file, or 'paper'.`);
    if (codeOf(error) === 'EISDIR') throw new UserError(`${named} is a folder: give a JSON file, or 'paper'.`);
    throw new UserError(`${named} can't be read (${reasonOf(error)}): check its permissions.`);
  });
  return parseJson(text, recipeSchema, (reasons) => {
    const fix = "'ronasmis show RUN --json' has the recipe of a run, which shows all constants";
    return new UserError(`${named} is no recipe (${reasons.join('; ')}). Correct it: ${fix}.`);
  });
}
