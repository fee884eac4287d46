import { open } from 'node:fs/promises';
import { fixable, readBytes } from '../base/files.ts';
import { elementsAt, findElements } from './dicom-elements.ts';
import { refuseOtherFile, type Slice, type SliceFile, sliceOf, truncated } from './dicom-slice.ts';
import { isDicomFile } from './scan-files.ts';

/** Enough for most headers; files with longer ones are read whole. */
const PEEK_BYTES = 65_536;

/**
 * Reads the header of a slice.
 * @returns undefined for a file that is not DICOM, and for one without an image, such as a report
 * @throws UserError where the file is truncated, or its image is no slice of a volume
 */
export async function readSlice(file: string): Promise<Slice | undefined> {
  if (!(await isDicomFile(file))) {
    refuseOtherFile(file);
    return undefined;
  }
  return sliceOf(await readElements(file));
}

/** The elements of a DICOM file's header. @throws UserError where it is truncated */
export async function readElements(file: string): Promise<SliceFile> {
  const handle = await fixable(file, () => open(file));
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await fixable(file, () => handle.read(Buffer.alloc(PEEK_BYTES), 0, PEEK_BYTES, 0));
    const elements = findElements(buffer.subarray(0, bytesRead)) ?? findElements(await readBytes(file));
    if (elements === undefined) throw truncated(file);
    return { file, elements, fileBytes: size, hasPreamble: elementsAt(buffer) !== 0 };
  } finally {
    await handle.close();
  }
}
