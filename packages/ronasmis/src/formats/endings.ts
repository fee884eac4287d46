/** What the names of scans end in, in small letters, by the format that they are read as. */
export const endings = {
  nifti: ['.nii.gz', '.nii'],
  nrrd: ['.seg.nrrd', '.nrrd', '.nhdr'],
  meta_image: ['.mha', '.mhd'],
} as const;

/** The longer ones first: of two that fit a name, it is of the format of the longer. */
const longestFirst = Object.values<readonly string[]>(endings)
  .flat()
  .toSorted((one, other) => other.length - one.length);

/** The ending by which a file's name, in letters of any case, says its format; undefined for other names. */
export function endingOf(path: string): string | undefined {
  const lower = path.toLowerCase();
  return longestFirst.find((ending) => lower.endsWith(ending));
}
