import { UserError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { Voxels } from '../base/voxels.ts';
import { cross, dot } from './affine.ts';
import { type Dataset, tagOf } from './dicom-dictionary.ts';
import { type Frame, framesOf, packFrames } from './dicom-frames.ts';
import type { SourceSeries } from './dicom-source.ts';
import { dicomFile, newUid } from './dicom-write.ts';

/** A label that becomes a segment: its value in the label map, and its name. */
export interface Segment {
  readonly value: number;
  readonly name: string;
}

/** Segmentation Storage (part 4, B.5). */
const SEGMENTATION = '1.2.840.10008.5.1.4.1.1.66.4';
/** What stands for the maker, its model and its algorithm. */
const MAKER = 'RONASMIS';
/** So much is added to a series' number for that of its segmentation, which is behind it in a list so. */
const NUMBER_STEP = 1000;
/** Pixel data end with a length of 32 bits (part 5, 7.1.2). */
const MOST_BYTES = 2 ** 32 - 2;
/** Characters of a long string, and of a decimal one (part 5, 6.2). */
const LONG_STRING = 64;
const DECIMAL_STRING = 16;

/**
 * A DICOM Segmentation (part 3, A.51) of a series, as a file: binary, a segment a label, a frame for each slice in which it is.
 * Nothing of Node is used, so that a page can make it too.
 * @param data label values on the series' own grid, `[slice, row, column]`
 * @param segments all labels but the background, whose voxels are in no segment
 * @param network what tells the network that made it, in place of a device's serial number
 * @throws UserError where it would be larger than a DICOM file can be
 */
export function dicomSegmentation(
  source: SourceSeries,
  data: Voxels,
  segments: readonly Segment[],
  { network, made }: { readonly network: string; readonly made: Date },
): Uint8Array {
  const values = segments.map(({ value }) => value);
  const pixels = source.rows * source.columns;
  const frames = framesOf(data, pixels, values);
  if ((frames.length * pixels) / 8 > MOST_BYTES) {
    const what = `its ${frames.length} frames are more than one DICOM Segmentation holds`;
    throw new UserError(`${source.folder}: ${what}. Write NIfTI with --format nifti.`);
  }
  const organization = newUid();
  return dicomFile({
    ...source.copied,
    ...seriesOf(source, network, made),
    ...imageOf(source, frames.length),
    SegmentsOverlap: 'NO',
    SegmentSequence: segments.map(segmentOf),
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: dimensionsOf(organization),
    SharedFunctionalGroupsSequence: [sharedOf(source)],
    PerFrameFunctionalGroupsSequence: frames.map((frame) => frameOf(source, frame)),
    PixelData: packFrames(data, pixels, values, frames),
    SOPClassUID: SEGMENTATION,
    SOPInstanceUID: newUid(),
  });
}

/** The modules of series, equipment, content and references (part 3, C.7.3.1, C.8.20.1, C.7.5.2, C.12.2). */
function seriesOf(source: SourceSeries, network: string, made: Date): Dataset {
  const two = (number: number): string => String(number).padStart(2, '0');
  const references = source.slices.map(({ sopClass, sopInstance }) => ({
    ReferencedSOPClassUID: sopClass,
    ReferencedSOPInstanceUID: sopInstance,
  }));
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    Modality: 'SEG',
    SeriesInstanceUID: newUid(),
    SeriesNumber: String(source.number + NUMBER_STEP),
    SeriesDescription: 'Segmentation by RONASMIS',
    Manufacturer: MAKER,
    ManufacturerModelName: MAKER,
    DeviceSerialNumber: network,
    SoftwareVersions: VERSION,
    InstanceNumber: '1',
    ContentDate: `${made.getFullYear()}${two(made.getMonth() + 1)}${two(made.getDate())}`,
    ContentTime: [made.getHours(), made.getMinutes(), made.getSeconds()].map(two).join(''),
    ContentLabel: 'SEGMENTATION',
    ContentDescription: 'Automatic segmentation, not a diagnosis',
    // It is for a person.
    ContentCreatorName: '',
    ReferencedSeriesSequence: [{ SeriesInstanceUID: source.series, ReferencedInstanceSequence: references }],
  };
}

/** The modules Image Pixel and Segmentation Image (part 3, C.7.6.3 and C.8.20.2). */
const imageOf = ({ rows, columns }: SourceSeries, frames: number): Dataset => ({
  ImageType: 'DERIVED\\PRIMARY',
  SegmentationType: 'BINARY',
  SamplesPerPixel: [1],
  PhotometricInterpretation: 'MONOCHROME2',
  PixelRepresentation: [0],
  BitsAllocated: [1],
  BitsStored: [1],
  HighBit: [0],
  Rows: [rows],
  Columns: [columns],
  NumberOfFrames: String(frames),
});

/** A segment (part 3, C.8.20.4). A data set's label has a name alone, so what it is in SNOMED CT's words is as general as can be. */
function segmentOf({ value, name }: Segment, index: number): Dataset {
  const tissue = code('85756007', 'SCT', 'Tissue');
  // In a text of several, a backslash would stand between two.
  const label = name.replaceAll('\\', '/').trim() || `label ${value}`;
  return {
    SegmentNumber: [index + 1],
    SegmentLabel: [...label].slice(0, LONG_STRING).join('').trim(),
    SegmentDescription: `${label} (label value ${value})`,
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: MAKER,
    SegmentedPropertyCategoryCodeSequence: [tissue],
    SegmentedPropertyTypeCodeSequence: [tissue],
    RecommendedDisplayCIELabValue: colourOf(index),
  };
}

/** Colours of one lightness, each as far as can be from those before it: the golden angle. Scaled as part 3, C.10.7.1.1, has it. */
function colourOf(index: number): readonly number[] {
  const [lightness, chroma] = [65, 60];
  const angle = index * Math.PI * (3 - Math.sqrt(5));
  const offset = (value: number): number => Math.round(((value + 128) / 255) * 0xffff);
  return [Math.round((lightness / 100) * 0xffff), offset(chroma * Math.cos(angle)), offset(chroma * Math.sin(angle))];
}

/** By segment, then by place (part 3, C.7.6.17). */
function dimensionsOf(organization: string): readonly Dataset[] {
  return [
    {
      DimensionOrganizationUID: organization,
      DimensionIndexPointer: [tagOf('ReferencedSegmentNumber')],
      FunctionalGroupPointer: [tagOf('SegmentIdentificationSequence')],
      DimensionDescriptionLabel: 'Segment Number',
    },
    {
      DimensionOrganizationUID: organization,
      DimensionIndexPointer: [tagOf('ImagePositionPatient')],
      FunctionalGroupPointer: [tagOf('PlanePositionSequence')],
      DimensionDescriptionLabel: 'Image Position Patient',
    },
  ];
}

/** What all frames have in common (part 3, C.7.6.16.2.1 and C.7.6.16.2.4). */
function sharedOf(source: SourceSeries): Dataset {
  const between = decimal(distanceBetween(source));
  const measures = { SliceThickness: source.thickness || between, SpacingBetweenSlices: between };
  return {
    PixelMeasuresSequence: [{ ...measures, PixelSpacing: source.spacing }],
    PlaneOrientationSequence: [{ ImageOrientationPatient: source.orientation }],
  };
}

/** Millimetres from a slice's plane to the next one's: those of a tilted gantry are shifted against each other as well. */
function distanceBetween({ orientation, slices }: SourceSeries): number {
  const [a, b, c, d, e, f] = orientation.split('\\').map(Number);
  const normal = cross([a, b, c], [d, e, f]);
  const [first, last] = [slices[0], slices[slices.length - 1]].map(({ at }) => dot(normal, at));
  return Math.abs(last - first) / (slices.length - 1);
}

/** A number with as many digits as a decimal string has room for. */
function decimal(value: number): string {
  for (let digits = DECIMAL_STRING - 1; digits > 1; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= DECIMAL_STRING) return text;
  }
  return value.toPrecision(1);
}

/** What is a frame's own: where it lies, its segment, and the slice that it was made of (part 3, C.7.6.16.2 and C.8.20.3). */
function frameOf({ slices }: SourceSeries, { label, slice }: Frame): Dataset {
  const { sopClass, sopInstance, position } = slices[slice];
  const image: Dataset = {
    ReferencedSOPClassUID: sopClass,
    ReferencedSOPInstanceUID: sopInstance,
    SpatialLocationsPreserved: 'YES',
    PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')],
  };
  return {
    FrameContentSequence: [{ DimensionIndexValues: [label + 1, slice + 1] }],
    PlanePositionSequence: [{ ImagePositionPatient: position }],
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: [label + 1] }],
    DerivationImageSequence: [
      { DerivationCodeSequence: [code('113076', 'DCM', 'Segmentation')], SourceImageSequence: [image] },
    ],
  };
}

/** An item that names a term of a coding scheme (part 3, 8.8). */
const code = (value: string, scheme: 'SCT' | 'DCM', meaning: string): Dataset => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});
