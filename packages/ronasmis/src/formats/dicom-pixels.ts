import { UserError } from '../base/errors.ts';
import { bytesOf, type DicomElements, PIXEL_DATA, wordOf } from './dicom-elements.ts';
import type { Slice } from './dicom-slice.ts';

/**
 * The values of a slice whose pixels are not compressed, rescaled: `[row, column]`.
 * @throws UserError where its pixels are of a size that images have not
 */
export function pixelsOf({ file, rows, columns, slope, intercept }: Slice, elements: DicomElements): Float32Array {
  const [allocated, isSigned] = [wordOf(elements, 'x00280100'), wordOf(elements, 'x00280103') === 1];
  if (![8, 16, 32].includes(allocated)) {
    const what = `its pixels have ${allocated} bits, where 8, 16 or 32 are known`;
    throw new UserError(`${file}: ${what}. Convert the series to .nii.gz.`);
  }
  const bytes = bytesOf(elements, PIXEL_DATA);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    8: (at: number) => view.getUint8(at),
    16: (at: number) => view.getUint16(2 * at, true),
    32: (at: number) => view.getInt32(4 * at, true),
  }[allocated === 8 ? 8 : allocated === 16 ? 16 : 32];
  // What lies above the bits in use is no part of a value (part 5, 8.1.1).
  const stored = Math.min(wordOf(elements, 'x00280101') || allocated, allocated);
  const unused = 32 - stored;
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < values.length; i++) {
    const raised = read(i) << unused;
    values[i] = (isSigned ? raised >> unused : raised >>> unused) * slope + intercept;
  }
  return values;
}
