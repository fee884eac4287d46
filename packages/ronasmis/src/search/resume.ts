import type { OwnParts, RunSettings } from './options.ts';
import { searchArchitecture } from './search.ts';
import { reopenRun, resultOf } from './setup.ts';
import { trainAlone } from './train-architecture.ts';
import type { SearchHooks, SearchResult } from './watching.ts';
import { withOpenRun } from './with-open-run.ts';

/**
 * Goes on with a search, or with the training of one network, that was stopped or killed, from its last finished controller step, with the
 * run folder's settings. A finished one is not repeated.
 *
 * @param own the controller and the space that the search was given, where they are not ours
 * @throws UserError where the folder holds no run, another process works on it, or its data set has changed
 */
export async function resume(
  runFolder: string,
  hooks: SearchHooks = {},
  own: OwnParts & Pick<RunSettings, 'team'> = {},
): Promise<SearchResult> {
  const result = await resultOf(runFolder);
  if (result) return result;
  return withOpenRun(
    () => reopenRun(runFolder, hooks, own),
    hooks,
    (run) => (run.architecture === undefined ? searchArchitecture(run) : trainAlone(run)),
  );
}
