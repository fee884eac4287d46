import { endingOf } from './endings.ts';
import { metaImage, nrrd } from './itk.ts';
import { nifti } from './nifti.ts';
import type { FileFormat } from './volume.ts';

/**
 * The data formats of scans and label maps that lie in files; a DICOM series is a folder. Whoever adds one declares it in a file of its own, as
 * {@link nifti} is, and lists it here; its endings stand in `endings.ts`, which tells names without any reader.
 */
const FORMATS: readonly FileFormat[] = [nifti, nrrd, metaImage];

/** The endings of the files that are read as scans. */
export const SCAN_ENDINGS: readonly string[] = FORMATS.flatMap(({ endings }) => endings);

/** The format of a file by its name, in letters of any case; undefined for other names. */
export function formatByName(path: string): FileFormat | undefined {
  const ending = endingOf(path);
  return FORMATS.find(({ endings }) => ending !== undefined && endings.includes(ending));
}
