/**
 * What the user can fix: its message is a whole sentence that names the file or option, what is wrong and the fix.
 * The command line prints the message alone and exits with code 2; any other error is a defect and exits with code 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Whether libtorch could not be loaded, which the user can fix as well. Told by its code: to import its class would load libtorch. */
export function isLoadError(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === 'LIBTORCH_NOT_LOADED';
}

/** Whether another rank of the same run has ended or has not come: what it says tells why. Told by its code as well. */
export function isRankError(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === 'RANK_FAILED';
}

/** By what code Node, the system or libtorch tells an error, such as `ENOENT`; empty where it has none. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** So many errors are named before the rest is counted. */
const maxNamedErrors = 10;

/** One error of several: a sentence a line. */
export function allErrors(sentences: readonly string[]): UserError {
  const more = sentences.length - maxNamedErrors;
  return new UserError(
    [...sentences.slice(0, maxNamedErrors), ...(more > 0 ? [`(and ${more} more errors)`] : [])].join('\n'),
  );
}

/** What came of one of several items: a result, or the sentence that says what the user can fix. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'problem'; readonly sentence: string };

/** Runs work on one of several items; what is wrong with it does not end the work on the others. */
export async function outcomeOf<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { kind: 'done', result: await work() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: 'problem', sentence: error.message };
  }
}

/** The results, and the sentences, of several items in their order. */
export function sortOutcomes<Result>(outcomes: readonly Outcome<Result>[]): {
  readonly results: readonly Result[];
  readonly problems: readonly string[];
} {
  return {
    results: outcomes.flatMap((outcome) => (outcome.kind === 'done' ? [outcome.result] : [])),
    problems: outcomes.flatMap((outcome) => (outcome.kind === 'problem' ? [outcome.sentence] : [])),
  };
}

/** So many names stand in a message before it says how many more there are. */
const maxNames = 5;

/** Up to five names, and how many more. */
export function some(names: readonly string[]): string {
  const more = names.length - maxNames;
  return names.slice(0, maxNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Why a file operation failed, in words: Node's message without its code. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^[A-Z]+: /, '') : String(error);
}
