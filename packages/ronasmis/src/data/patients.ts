/**
 * Cases that seem to be several scans of one patient, guessed by their names: `patient012_1` and `patient012_2`, or `001_ED` and `001_ES`,
 * agree up to the last `_` or `-`. That is so only where what they agree in has a number, where most patients have the same last part
 * (numbers that count all cases, or the patients of each site, differ), and where there are more patients than scans of any of them.
 * @returns names of cases, at least two for each such patient
 */
export function scansOfPatients(names: readonly string[]): readonly (readonly string[])[] {
  const patients = new Map<string, string[]>();
  const lastParts = new Map<string, number>();
  for (const name of names) {
    const [, patient, last] = /^(.*\d.*)[_-]([^_-]+)$/.exec(name) ?? [];
    if (patient === undefined) continue;
    patients.set(patient, [...(patients.get(patient) ?? []), name]);
    lastParts.set(last, (lastParts.get(last) ?? 0) + 1);
  }
  const mostScans = Math.max(0, ...[...patients.values()].map(({ length }) => length));
  const mostCommon = Math.max(0, ...lastParts.values());
  if (patients.size <= mostScans || mostCommon <= patients.size / 2) return [];
  return [...patients.values()].filter(({ length }) => length > 1);
}
