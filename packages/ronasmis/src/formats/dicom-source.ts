import { UserError } from '../base/errors.ts';
import { type Triple, tripleSchema } from '../base/geometry.ts';
import { type Dataset, type Keyword, parserTag } from './dicom-dictionary.ts';
import { bytesOf, type DicomElements, numbersOf, textOf, wordOf } from './dicom-elements.ts';
import { decodeText } from './dicom-text.ts';

/** A slice that another object refers to. */
export interface SourceSlice {
  readonly sopClass: string;
  readonly sopInstance: string;
  /** Centre of the first pixel: as the slice states it, and as numbers, in millimetres towards left, posterior, superior. */
  readonly position: string;
  readonly at: Triple;
}

/** What an object that is derived from a DICOM series takes over from it. */
export interface SourceSeries {
  /** Its folder, which messages name. */
  readonly folder: string;
  readonly series: string;
  readonly number: number;
  readonly rows: number;
  readonly columns: number;
  /** The patient, the study, the frame of reference, and whether pixels were compressed with losses; texts in UTF-8. */
  readonly copied: Dataset;
  /** Pixel spacing, slice thickness and orientation as the first slice states them. */
  readonly spacing: string;
  readonly thickness: string;
  readonly orientation: string;
  /** In the order in which a volume has them. */
  readonly slices: readonly SourceSlice[];
}

/** The header of a slice, and what messages call it. */
export interface SliceHeader {
  readonly file: string;
  readonly elements: DicomElements;
}

/** A text of an element, as the character set of its file has it; undefined where there is none, or nothing in it. */
type Read = (keyword: Keyword) => string | undefined;

/**
 * What the headers of a series' slices say.
 * @param headers in the order in which a volume has the slices; at least one
 * @throws UserError where they lack what a derived object must state, or texts are written in an unknown way
 */
export function sourceSeriesOf(folder: string, headers: readonly SliceHeader[]): SourceSeries {
  const [{ file, elements }] = headers;
  const read: Read = (keyword) => readText(file, elements, keyword);
  const [number = 0] = numbersOf(elements, parserTag('SeriesNumber'));
  const stray = headers.find((header) => frameOf(header) !== frameOf(headers[0]));
  if (stray !== undefined) {
    const what = `its Frame of Reference UID is not that of ${file}`;
    throw new UserError(`${stray.file}: ${what}. Keep the slices of one volume in the folder.`);
  }
  return {
    folder,
    series: required(headers[0], 'SeriesInstanceUID', 'Series Instance UID'),
    number: Number.isSafeInteger(number) ? number : 0,
    rows: wordOf(elements, parserTag('Rows')),
    columns: wordOf(elements, parserTag('Columns')),
    copied: {
      ...patientOf(read),
      ...studyOf(read, required(headers[0], 'StudyInstanceUID', 'Study Instance UID')),
      FrameOfReferenceUID: frameOf(headers[0]),
      PositionReferenceIndicator: read('PositionReferenceIndicator') ?? '',
      ...lossesOf(read),
    },
    spacing: textOf(elements, parserTag('PixelSpacing')),
    thickness: textOf(elements, parserTag('SliceThickness')),
    orientation: textOf(elements, parserTag('ImageOrientationPatient')),
    slices: headers.map(sliceOf),
  };
}

/** The modules Patient and Patient Study (part 3, C.7.1.1 and C.7.2.2); what is asked for and is not there is empty. */
function patientOf(read: Read): Dataset {
  const method = read('DeidentificationMethod');
  return {
    PatientName: read('PatientName') ?? '',
    PatientID: read('PatientID') ?? '',
    IssuerOfPatientID: read('IssuerOfPatientID'),
    PatientBirthDate: read('PatientBirthDate') ?? '',
    PatientSex: read('PatientSex') ?? '',
    PatientAge: read('PatientAge'),
    PatientSize: read('PatientSize'),
    PatientWeight: read('PatientWeight'),
    // One without the other says too little.
    ...(method && { PatientIdentityRemoved: read('PatientIdentityRemoved'), DeidentificationMethod: method }),
  };
}

/** The module General Study (part 3, C.7.2.1). */
const studyOf = (read: Read, study: string): Dataset => ({
  StudyInstanceUID: study,
  StudyDate: read('StudyDate') ?? '',
  StudyTime: read('StudyTime') ?? '',
  ReferringPhysicianName: read('ReferringPhysicianName') ?? '',
  StudyID: read('StudyID') ?? '',
  AccessionNumber: read('AccessionNumber') ?? '',
  StudyDescription: read('StudyDescription'),
});

/** What is derived from pixels that were compressed with losses says so (part 3, C.7.6.1.1.5). */
function lossesOf(read: Read): Dataset {
  if (read('LossyImageCompression') !== '01') return { LossyImageCompression: '00' };
  return {
    LossyImageCompression: '01',
    LossyImageCompressionRatio: read('LossyImageCompressionRatio'),
    LossyImageCompressionMethod: read('LossyImageCompressionMethod'),
  };
}

const frameOf = (header: SliceHeader): string => required(header, 'FrameOfReferenceUID', 'Frame of Reference UID');

function sliceOf(header: SliceHeader): SourceSlice {
  const { elements } = header;
  return {
    sopClass: required(header, 'SOPClassUID', 'SOP Class UID'),
    sopInstance: required(header, 'SOPInstanceUID', 'SOP Instance UID'),
    position: textOf(elements, parserTag('ImagePositionPatient')),
    at: tripleSchema.parse(numbersOf(elements, parserTag('ImagePositionPatient'))),
  };
}

function required({ file, elements }: SliceHeader, keyword: Keyword, name: string): string {
  const text = textOf(elements, parserTag(keyword));
  if (text !== '') return text;
  const what = `it has no ${name}, which a DICOM Segmentation of it has to state`;
  throw new UserError(`${file}: ${what}. Export the series again, or write NIfTI with --format nifti.`);
}

function readText(file: string, elements: DicomElements, keyword: Keyword): string | undefined {
  const sets = textOf(elements, parserTag('SpecificCharacterSet'));
  const text = decodeText(bytesOf(elements, parserTag(keyword)), sets)?.replace(/[\0 ]+$/, '');
  if (text !== undefined) return text === '' ? undefined : text;
  const what = `its texts are in a character set that is not known here ("${sets}")`;
  throw new UserError(`${file}: ${what}. Export the series in UTF-8 (ISO_IR 192), or write NIfTI with --format nifti.`);
}
