import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { type Triple, tripleSchema } from '../base/geometry.ts';
import {
  type DicomElements,
  isSupported,
  numbersOf,
  PIXEL_DATA,
  textOf,
  UNDEFINED_LENGTH,
  wordOf,
} from './dicom-elements.ts';

/** What the header of a DICOM file says of its slice. Places are in millimetres towards left, posterior, superior. */
export interface Slice {
  readonly file: string;
  /** Whether the file begins with the preamble that ITK asks for. */
  readonly hasPreamble: boolean;
  /** The series' unique identifier. */
  readonly series: string;
  readonly rows: number;
  readonly columns: number;
  /** Centre of the first pixel. */
  readonly position: Triple;
  /** Unit vectors along a row and along a column. */
  readonly rowDirection: Triple;
  readonly columnDirection: Triple;
  /** Millimetres between rows, and between columns. */
  readonly spacing: readonly [number, number];
  readonly slope: number;
  readonly intercept: number;
}

/** How far a unit vector's length may be from 1, and the cosine of a right angle from 0. */
const DIRECTION_TOLERANCE = 1e-3;

/** The header of a slice, and what is known of its file. */
export interface SliceFile {
  readonly file: string;
  readonly elements: DicomElements;
  readonly fileBytes: number;
  /** Whether the file begins with the preamble that ITK asks for. */
  readonly hasPreamble: boolean;
}

/**
 * What a header says of its slice.
 * @returns undefined for a file without an image, such as a report
 * @throws UserError where the file is truncated, or its image is no slice of a volume
 */
export function sliceOf({ file, elements, fileBytes, hasPreamble }: SliceFile): Slice | undefined {
  if (!isSupported(elements)) {
    throw new UserError(`${file}: it is stored big-endian or deflated. Export it with another transfer syntax.`);
  }
  const pixels = elements.byTag.get(PIXEL_DATA);
  if (pixels === undefined) return undefined;
  const word = (tag: string) => wordOf(elements, tag);
  const [rows, columns, bits, samples] = [word('x00280010'), word('x00280011'), word('x00280100'), word('x00280002')];
  const [frames = 1] = numbersOf(elements, 'x00280008');
  if (frames > 1 || samples > 1) {
    const what = frames > 1 ? 'it holds several frames' : 'it is a colour image';
    throw new UserError(`${file}: ${what}. Give a series with a grey slice in each file, or convert it to .nii.gz.`);
  }
  const isCompressed = pixels.length === UNDEFINED_LENGTH;
  const isShort = pixels.length < (rows * columns * bits) / 8 || pixels.dataOffset + pixels.length > fileBytes;
  if (isShort && !isCompressed) throw truncated(file);
  const [slope = 1] = numbersOf(elements, 'x00281053');
  const [intercept = 0] = numbersOf(elements, 'x00281052');
  const series = textOf(elements, 'x0020000e');
  return { file, hasPreamble, series, rows, columns, ...placeOf(elements, file), slope, intercept };
}

/** @throws UserError that a file which is called as DICOM files are is none; nothing is thrown of others */
export function refuseOtherFile(file: string): void {
  if (/\.dcm$/i.test(file))
    throw new UserError(`${file}: this is not a DICOM file. Copy or export it again, or remove it.`);
}

/** That a file ends within its header. */
export const truncated = (file: string): UserError =>
  new UserError(`${file}: the file is truncated. Copy or export it again.`);

const number = z.number();
const placeSchema = z.object({
  position: tripleSchema,
  /** Along a row and along a column. */
  directions: z.tuple([number, number, number, number, number, number]).refine(([a, b, c, d, e, f]) => {
    const isUnit = (length: number) => Math.abs(length - 1) < DIRECTION_TOLERANCE;
    return (
      isUnit(Math.hypot(a, b, c)) &&
      isUnit(Math.hypot(d, e, f)) &&
      Math.abs(a * d + b * e + c * f) < DIRECTION_TOLERANCE
    );
  }),
  /** Between rows, and between columns. */
  spacing: z.tuple([number.positive(), number.positive()]),
});

/** Where a slice lies (part 3 of the standard, C.7.6.2). */
function placeOf(elements: DicomElements, file: string) {
  const place = placeSchema.safeParse({
    position: numbersOf(elements, 'x00200032'),
    directions: numbersOf(elements, 'x00200037'),
    spacing: numbersOf(elements, 'x00280030'),
  });
  if (!place.success) {
    const what = 'it does not say where its slice lies (ImagePositionPatient, ImageOrientationPatient, PixelSpacing)';
    throw new UserError(`${file}: ${what}. Export the series with them, or remove the file.`);
  }
  const { position, directions, spacing } = place.data;
  const [a, b, c, d, e, f] = directions;
  const rowDirection: Triple = [a, b, c];
  const columnDirection: Triple = [d, e, f];
  return { position, rowDirection, columnDirection, spacing };
}
