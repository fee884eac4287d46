import { expect, test } from 'vitest';
import { bytesOf, findElements, textOf } from '../../src/formats/dicom-elements.ts';
import { dicomFile, encodeDataset, newUid } from '../../src/formats/dicom-write.ts';
import { dicomFixtures } from './dicom-fixtures.ts';

test('a dataset of every type of element is, byte for byte, what pydicom writes', () => {
  const bytes = encodeDataset({
    PixelData: Uint8Array.of(1, 2, 3),
    Rows: [512],
    SpecificCharacterSet: 'ISO_IR 192',
    SOPInstanceUID: '1.2.3',
    StudyDate: '',
    StudyID: undefined,
    PatientName: 'Müller^Jörg',
    ImagePositionPatient: '1.5\\-2\\30',
    SegmentSequence: [
      {
        SegmentNumber: [3],
        SegmentLabel: 'odd',
        SegmentDescription: 'Läsion',
        RecommendedDisplayCIELabValue: [1, 256, 65_535],
      },
      {},
    ],
    DimensionIndexSequence: [{ DimensionIndexValues: [1, 70_000], DimensionIndexPointer: [0x0062000b] }],
    SourceImageSequence: [],
  });
  expect(Buffer.from(bytes).toString('base64')).toBe(dicomFixtures.encoded);
});

test('a file begins with its preamble and says what it is', () => {
  const file = dicomFile({ SOPClassUID: '1.2.3', SOPInstanceUID: '1.2.3.44', Rows: [7] });
  expect(Buffer.from(file.subarray(0, 132)).toString('latin1')).toBe(`${'\0'.repeat(128)}DICM`);
  const elements = findElements(file);
  if (elements === undefined) throw new Error('It is whole.');
  const texts = ['x00020002', 'x00020003', 'x00020010', 'x00080018'].map((tag) => textOf(elements, tag));
  expect(texts).toEqual(['1.2.3', '1.2.3.44', '1.2.840.10008.1.2.1', '1.2.3.44']);
  // The length of the first group is that of all of it behind the element that states it.
  const begin = elements.byTag.get('x00020001')?.dataOffset ?? 0;
  const end = elements.byTag.get('x00080016')?.dataOffset ?? 0;
  const length = Buffer.from(bytesOf(elements, 'x00020000')).readUInt32LE();
  expect(length).toBe(end - 8 - (begin - 12));
});

test('identifiers are of 64 characters at most, without a zero in front, and no two are the same', () => {
  const uids = Array.from({ length: 200 }, newUid);
  expect(uids.filter((uid) => !/^2\.25\.[1-9]\d{0,38}$/.test(uid))).toEqual([]);
  expect(new Set(uids).size).toBe(200);
});

test('a value that its type has no room for is a defect', () => {
  expect(() => encodeDataset({ SegmentDescription: 'x'.repeat(70_000) })).toThrow(/70000 bytes is too long/);
});
