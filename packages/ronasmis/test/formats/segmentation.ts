import dicomParser, { type DataSet } from 'dicom-parser';
import { type Keyword, parserTag } from '../../src/formats/dicom-dictionary.ts';

/** The items of a sequence, which may lie in those of others: `path` are their keywords. */
export function items(dataset: DataSet, ...path: readonly Keyword[]): readonly DataSet[] {
  const [keyword, ...deeper] = path;
  const found = dataset.elements[parserTag(keyword)]?.items?.flatMap(({ dataSet }) => dataSet ?? []) ?? [];
  return deeper.length === 0 ? found : found.flatMap((item) => items(item, ...deeper));
}

/** The numbers that an element states as text. */
export const numbersIn = (text = ''): readonly number[] => text.split('\\').map(Number);

/** The frames of a DICOM Segmentation, each with a number for every pixel, by dicom-parser alone. */
export function readSegmentation(bytes: Uint8Array) {
  const dataset = dicomParser.parseDicom(bytes);
  const text = (keyword: Keyword, from = dataset) => from.string(parserTag(keyword));
  const pixels = (dataset.uint16(parserTag('Rows')) ?? 0) * (dataset.uint16(parserTag('Columns')) ?? 0);
  const { dataOffset = 0, length = 0 } = dataset.elements[parserTag('PixelData')] ?? {};
  const stored = bytes.subarray(dataOffset, dataOffset + length);
  const frames = items(dataset, 'PerFrameFunctionalGroupsSequence').map((frame, index) => {
    const [image] = items(frame, 'DerivationImageSequence', 'SourceImageSequence');
    const [place] = items(frame, 'PlanePositionSequence');
    return {
      segment: items(frame, 'SegmentIdentificationSequence')[0].uint16(parserTag('ReferencedSegmentNumber')),
      source: text('ReferencedSOPInstanceUID', image),
      position: numbersIn(text('ImagePositionPatient', place)),
      pixels: Array.from({ length: pixels }, (_, i) => {
        const bit = index * pixels + i;
        return (stored[bit >> 3] >> (bit & 7)) & 1;
      }),
    };
  });
  return { dataset, text, frames };
}
