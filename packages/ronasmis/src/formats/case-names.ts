import { basename, dirname, resolve, sep } from 'node:path';
import { UserError } from '../base/errors.ts';
import { endingOf } from './endings.ts';

/** The name of a scan without folder and ending; letters with accents are composed (NFC), as some systems store them apart. */
export function caseName(path: string): string {
  const name = basename(resolve(path)).normalize();
  return name.slice(0, name.length - (endingOf(name)?.length ?? 0));
}

/**
 * The names of several scans: those of their files, or, where two of these are the same, of their folders. So `P1/imaging.nii.gz` and
 * `P2/imaging.nii.gz` are P1 and P2, and with `P2/later.nii.gz` beside them P1, P2__imaging and P2__later: what lies in a folder has nothing to
 * do with what the names in others are.
 * @param folder in which they were found: where each folder in it has one scan, that is named by it, whatever the files are called
 */
export function caseNames(paths: readonly string[], folder?: string): readonly string[] {
  const files = paths.map(caseName);
  const parts = partsBelow(paths, folder);
  const scans = new Map<string, number>();
  for (const one of parts)
    for (let depth = 1; depth < one.length; depth++) {
      const above = one.slice(0, depth).join(sep);
      scans.set(above, (scans.get(above) ?? 0) + 1);
    }
  const haveOneEach = parts.every((one) => one.length === 1 || scans.get(one[0]) === 1);
  if (new Set(files).size === files.length && !(folder !== undefined && haveOneEach)) return files;
  const names = parts.map((one) => {
    const depth = one.findIndex((_, i) => scans.get(one.slice(0, i + 1).join(sep)) === 1);
    return one.slice(0, depth < 0 ? one.length : depth + 1).join(SEPARATORS[0]);
  });
  return apart(names, parts);
}

/** Between the folders of a name; where that makes two the same, a longer one. */
const SEPARATORS = ['__', '___', '____'] as const;

/** The parts of paths below a folder, or the innermost that they share: folders, and the name of the scan. */
function partsBelow(paths: readonly string[], folder: string | undefined): readonly (readonly string[])[] {
  const split = (path: string) => resolve(path).normalize().split(sep);
  const folders = paths.map((path) => split(dirname(resolve(path))));
  const differing = folders[0]?.findIndex((part, depth) => folders.some((one) => one[depth] !== part)) ?? 0;
  const shared = folder === undefined ? (differing < 0 ? folders[0].length : differing) : split(folder).length;
  return folders.map((one, i) => [...one.slice(shared), caseName(paths[i])]);
}

/** The names with whole paths in place of those that several have. */
function apart(names: readonly string[], parts: readonly (readonly string[])[]): readonly string[] {
  return SEPARATORS.reduce<readonly string[]>((found, separator) => {
    const count = new Map<string, number>();
    for (const name of found) count.set(name, (count.get(name) ?? 0) + 1);
    return found.map((name, i) => (count.get(name) === 1 ? name : parts[i].join(separator)));
  }, names);
}

/** Scans that were found in a folder. */
interface FoundScans {
  readonly paths: readonly string[];
  readonly folder: string;
}

/**
 * The names of scans in two folders, by which they are counterparts. By patients' folders or by files, on either side: as most of `ones` have
 * a counterpart.
 */
export function counterpartNames(
  ones: FoundScans,
  others: FoundScans,
): readonly [ones: readonly string[], others: readonly string[]] {
  const namings = ({ paths, folder }: FoundScans) => [caseNames(paths, folder), caseNames(paths)] as const;
  const pairs = namings(ones).flatMap((names) => namings(others).map((counterparts) => [names, counterparts] as const));
  const matches = pairs.map(([names, counterparts]) => {
    const there = new Set(counterparts);
    return names.filter((name) => there.has(name)).length;
  });
  return pairs[matches.indexOf(Math.max(...matches))];
}

/** Scans by their names. @throws UserError where two have one name, as `a.nii` and `a.nii.gz` do */
export function byCaseName(
  paths: readonly string[],
  names: readonly string[] = caseNames(paths),
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  paths.forEach((path, i) => {
    const other = found.get(names[i]);
    if (other !== undefined) throw new UserError(`${path}: ${basename(other)} has the same name. Keep one of the two.`);
    found.set(names[i], path);
  });
  return found;
}
