import { groupBy } from '../base/group-by.ts';
import { caseNames } from '../formats/case-names.ts';
import { type CaseProblem, type Problem, problem } from './problem.ts';

/** So many cases are named of those that have the same. */
const NAMED_CASES = 3;

/**
 * The problems with one line a kind: of several cases that have the same, how many they are and which have it most, where the first of them was.
 * @param folder of the data set
 * @param total cases that were looked at
 */
export function oneLineAKind(problems: readonly CaseProblem[], folder: string, total: number): readonly Problem[] {
  const said = new Set<string>();
  return problems.flatMap(({ kind, ...single }) => {
    if (kind === undefined) return [single];
    if (said.has(kind.several)) return [];
    const alike = problems.flatMap((other) =>
      other.kind?.several === kind.several ? [{ file: other.file, ...other.kind }] : [],
    );
    const ranked = alike.toSorted((left, right) => right.distance - left.distance);
    const [farthest] = ranked;
    const byFile = groupBy(ranked, ({ file }) => file);
    // Of one case, each of them: a channel or a label may have it, and another as well.
    if (byFile.size === 1) return [single];
    said.add(kind.several);
    const sorted = [...byFile].map(([file, found]) => ({ file, what: found.map(({ what }) => what).join(' and ') }));
    const names = caseNames(sorted.map(({ file }) => file));
    const named = sorted.slice(0, NAMED_CASES).map(({ what }, i) => `${names[i]} (${what})`);
    const most = `${sorted.length > NAMED_CASES ? 'above all ' : ''}${named.join(', ')}`;
    const count = `${sorted.length} of ${total} cases`;
    const { message } = problem('warning', folder, `${count} ${kind.several}: ${most}. ${farthest.fix}`);
    return [{ severity: single.severity, file: folder, message, cases: sorted }];
  });
}

/** The files that a problem is about. */
export const filesOf = ({ file, cases }: Problem): readonly string[] => cases?.map((one) => one.file) ?? [file];
