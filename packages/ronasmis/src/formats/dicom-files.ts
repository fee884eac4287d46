import { UserError } from '../base/errors.ts';
import { type DicomElements, elementsAt, findElements, PIXEL_DATA, UNDEFINED_LENGTH } from './dicom-elements.ts';
import { pixelsOf } from './dicom-pixels.ts';
import { refuseOtherFile, type Slice, sliceOf, truncated } from './dicom-slice.ts';
import { type SourceSeries, sourceSeriesOf } from './dicom-source.ts';
import { gridOf, sortSlices } from './dicom-stack.ts';
import { volumeOn } from './nifti-header.ts';
import type { Volume } from './volume.ts';

/** A file that is in memory, as a page is given it. */
export interface FileBytes {
  /** That messages name. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A DICOM series as one volume, and what a segmentation of it takes over. */
export interface OpenedSeries {
  readonly volume: Volume;
  /** @throws UserError where the headers lack what a segmentation has to state */
  readonly source: () => SourceSeries;
}

/**
 * A DICOM series by the bytes of its files, a slice in each; what is not DICOM among them is passed over, as by `readSeries`, but pixels are
 * unpacked of no transfer syntax that compresses them. Nothing of Node is used.
 * @param folder that messages name
 * @throws UserError where it is no series or several, slices are damaged or missing, or pixels are compressed
 */
export function openSeries(folder: string, files: readonly FileBytes[]): OpenedSeries {
  const found = files.flatMap(openSlice);
  const elementsOf = new Map(found.map(({ slice, elements }) => [slice, elements]));
  const slices = sortSlices(
    folder,
    found.map(({ slice }) => slice),
  );
  const [{ rows, columns }] = slices;
  const data = new Float32Array(slices.length * rows * columns);
  const headers = slices.map((slice, at) => {
    const elements = elementsOf.get(slice);
    if (elements === undefined) throw new Error(`${slice.file}: its elements are gone.`);
    data.set(pixelsOf(slice, elements), at * rows * columns);
    return { file: slice.file, elements };
  });
  return { volume: volumeOn(folder, gridOf(slices), data), source: () => sourceSeriesOf(folder, headers) };
}

/** Whether bytes begin as a DICOM file does. */
export function isDicom(bytes: Uint8Array): boolean {
  try {
    return elementsAt(bytes) !== undefined;
  } catch {
    return false;
  }
}

function openSlice({ file, bytes }: FileBytes): readonly { readonly slice: Slice; readonly elements: DicomElements }[] {
  if (!isDicom(bytes)) {
    refuseOtherFile(file);
    return [];
  }
  const elements = findElements(bytes);
  if (elements === undefined) throw truncated(file);
  const hasPreamble = elementsAt(bytes) !== 0;
  const slice = sliceOf({ file, elements, fileBytes: bytes.length, hasPreamble });
  if (slice === undefined) return [];
  if (elements.byTag.get(PIXEL_DATA)?.length === UNDEFINED_LENGTH)
    throw new UserError(
      `${file}: its pixels are compressed, which is not unpacked here. Export the series uncompressed (Explicit VR Little Endian), or convert it to .nii.gz.`,
    );
  return [{ slice, elements }];
}
