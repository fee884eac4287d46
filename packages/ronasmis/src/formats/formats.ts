import { metaImage, nrrd } from './itk.ts';
import { nifti } from './nifti.ts';
import type { FileFormat } from './volume.ts';

/**
 * The data formats of scans and label maps that lie in files; a DICOM series is a folder. Whoever adds one declares it in a file of its own, as
 * {@link nifti} is, and lists it here.
 */
const FORMATS: readonly FileFormat[] = [nifti, nrrd, metaImage];

/** The endings of the files that are read as scans. */
export const SCAN_ENDINGS: readonly string[] = FORMATS.flatMap(({ endings }) => endings);

/** The longer ones first: of two that fit a name, it is of the format of the longer. */
const BY_ENDING = FORMATS.flatMap((format) => format.endings.map((ending) => ({ ending, format }))).toSorted(
  (one, other) => other.ending.length - one.ending.length,
);

function entryOf(path: string) {
  const lower = path.toLowerCase();
  return BY_ENDING.find(({ ending }) => lower.endsWith(ending));
}

/** The format of a file by its name, in letters of any case; undefined for other names. */
export const formatByName = (path: string): FileFormat | undefined => entryOf(path)?.format;

/** The ending that says so. */
export const endingOf = (path: string): string | undefined => entryOf(path)?.ending;
