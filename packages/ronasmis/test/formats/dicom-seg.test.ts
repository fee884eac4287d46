import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataSet } from 'dicom-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import type { Triple } from '../../src/base/geometry.ts';
import { cross } from '../../src/formats/affine.ts';
import { parserTag } from '../../src/formats/dicom-dictionary.ts';
import { findElements } from '../../src/formats/dicom-elements.ts';
import { dicomSegmentation } from '../../src/formats/dicom-seg.ts';
import { readSourceSeries } from '../../src/formats/dicom-series.ts';
import { sourceSeriesOf } from '../../src/formats/dicom-source.ts';
import { dicomFile } from '../../src/formats/dicom-write.ts';
import { dicomFixtures, writeDicomSeries } from './dicom-fixtures.ts';
import { temporaryFolder } from './scans.ts';
import { items, numbersIn, readSegmentation } from './segmentation.ts';

const root = await temporaryFolder();
const how = { network: 'abc', made: new Date(2026, 0, 2, 3, 4, 5) };

/** By segment and slice: in which order they stand in a file says nothing. */
const inOrder = <F extends { readonly segment?: number | undefined; readonly source?: string | undefined }>(
  frames: readonly F[],
): readonly F[] => {
  const key = ({ segment, source }: F): string => `${segment} ${source}`;
  return frames.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
};

describe.each(dicomFixtures.series)('a series that is $name', (fixture) => {
  const segments = [2, 5, 9].map((value) => ({ value, name: `label ${value}` }));
  test('has the frames, places, references and pixels that highdicom gives it', async () => {
    const source = await readSourceSeries(await writeDicomSeries(root, fixture));
    const { dataset, text, frames } = readSegmentation(
      dicomSegmentation(source, Uint8Array.from(dicomFixtures.labels), segments, how),
    );
    const { expected } = fixture;
    expect(inOrder(frames)).toEqual(inOrder(expected.frames));
    const [measures] = items(dataset, 'SharedFunctionalGroupsSequence', 'PixelMeasuresSequence');
    const [plane] = items(dataset, 'SharedFunctionalGroupsSequence', 'PlaneOrientationSequence');
    expect(numbersIn(text('PixelSpacing', measures))).toEqual(expected.spacing);
    expect(numbersIn(text('ImageOrientationPatient', plane))).toEqual(expected.orientation);
    expect(Number(text('SpacingBetweenSlices', measures))).toBeCloseTo(2.5, 6);
    expect(items(dataset, 'SegmentSequence').map((item) => text('SegmentLabel', item))).toEqual(expected.segments);
    const references = items(dataset, 'ReferencedSeriesSequence', 'ReferencedInstanceSequence');
    expect(references.map((item) => text('ReferencedSOPInstanceUID', item))).toEqual(
      [3, 1, 4, 2].map((number) => `1.2.3.4.${number}`),
    );
  });

  test('gives it its patient, study and frame of reference, and the segmentation a series of its own', async () => {
    const source = await readSourceSeries(await writeDicomSeries(root, fixture));
    const { dataset, text } = readSegmentation(dicomSegmentation(source, new Uint8Array(60), segments, how));
    const { dataOffset = 0, length = 0 } = dataset.elements[parserTag('PatientName')] ?? {};
    const name = Buffer.from(dataset.byteArray.subarray(dataOffset, dataOffset + length)).toString();
    expect([text('SpecificCharacterSet'), name.trim()]).toEqual(['ISO_IR 192', fixture.expected.patient]);
    expect([text('PatientID'), text('StudyInstanceUID'), text('FrameOfReferenceUID')]).toEqual([
      'P7',
      '1.2.3.1',
      '1.2.3.3',
    ]);
    expect([text('Modality'), text('SeriesNumber'), text('NumberOfFrames')]).toEqual(['SEG', '1003', '1']);
    expect([text('ContentDate'), text('ContentTime'), text('DeviceSerialNumber')]).toEqual([
      '20260102',
      '030405',
      'abc',
    ]);
    expect(text('SeriesInstanceUID')).not.toBe('1.2.3.2');
  });
});

/** A number as a header has it. */
const stated = (value: number): string => String(Number(value.toPrecision(9)));

/** Headers of slices at these places, by way of their bytes. */
function headersOf(positions: readonly Triple[], size: readonly [number, number], directions: readonly number[]) {
  return positions.map((position, slice) => {
    const elements = findElements(
      dicomFile({
        SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
        SOPInstanceUID: `1.2.3.${slice + 1}`,
        StudyInstanceUID: '1.2.4',
        SeriesInstanceUID: '1.2.5',
        FrameOfReferenceUID: '1.2.6',
        Rows: [size[0]],
        Columns: [size[1]],
        PixelSpacing: '0.7\\0.9',
        ImagePositionPatient: position.map(stated).join('\\'),
        ImageOrientationPatient: directions.map(stated).join('\\'),
        PixelData: new Uint8Array(2),
      }),
    );
    if (elements === undefined) throw new Error('It is whole.');
    return { file: String(slice), elements };
  });
}

const drawn = fc.record({
  angles: fc.tuple(...[0, 1].map(() => fc.double({ min: -3, max: 3, noNaN: true }))),
  origin: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -500, max: 500, noNaN: true }))),
  step: fc.tuple(...[0.4, 0.4, 5].map((most) => fc.double({ min: most / 10, max: most, noNaN: true }))),
  size: fc.tuple(...[2, 1, 1].map((min) => fc.integer({ min, max: 5 }))),
  seed: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 40 }),
});

test('labels and their places come back, whatever the orientation, tilt and size', () => {
  fc.assert(
    fc.property(drawn, ({ angles: [a, b], origin, step, size: [slices, rows, columns], seed }) => {
      const row: Triple = [Math.cos(a), Math.sin(a), 0];
      const column: Triple = [-Math.sin(a) * Math.cos(b), Math.cos(a) * Math.cos(b), Math.sin(b)];
      const normal = cross(row, column);
      const at = (slice: number, axis: 0 | 1 | 2): number =>
        origin[axis] + slice * (row[axis] * step[0] + column[axis] * step[1] + normal[axis] * step[2]);
      const positions = Array.from({ length: slices }, (_, z): Triple => [at(z, 0), at(z, 1), at(z, 2)]);
      const headers = headersOf(positions, [rows, columns], [...row, ...column]);
      const values = [1, 700, 3, 4];
      const voxels = slices * rows * columns;
      const data = Int16Array.from({ length: voxels }, (_, i) => [0, ...values][seed[(i * 7) % seed.length]]);
      const segments = values.map((value) => ({ value, name: `${value}` }));
      const { frames } = readSegmentation(dicomSegmentation(sourceSeriesOf('series', headers), data, segments, how));
      const found = new Int16Array(voxels);
      for (const { segment = 0, source, position, pixels } of frames) {
        const slice = Number(source?.slice('1.2.3.'.length)) - 1;
        pixels.forEach((bit, i) => {
          found[slice * rows * columns + i] += bit * values[segment - 1];
        });
        const far = Math.max(...position.map((value, axis) => Math.abs(value - positions[slice][axis])));
        expect(far).toBeLessThan(1e-5);
      }
      expect(found).toEqual(data);
    }),
  );
});

/** Two slices of one voxel each. */
const ofTwoSlices = sourceSeriesOf(
  'series',
  headersOf(
    [
      [0, 0, 0],
      [0, 0, 1],
    ],
    [1, 1],
    [1, 0, 0, 0, 1, 0],
  ),
);

test('names of labels are cut to what a segment has room for, and are never empty', () => {
  const names = ['left\\right', 'ö'.repeat(70), ' ', 'Kern'];
  const segments = names.map((name, i) => ({ value: i + 1, name }));
  const bytes = dicomSegmentation(ofTwoSlices, new Uint8Array(2), segments, how);
  const { dataset } = readSegmentation(bytes);
  const utf8 = (item: DataSet, tag: string): string => {
    const { dataOffset = 0, length = 0 } = item.elements[tag] ?? {};
    return Buffer.from(bytes.subarray(dataOffset, dataOffset + length))
      .toString()
      .trim();
  };
  const found = items(dataset, 'SegmentSequence');
  const labels = found.map((item) => utf8(item, parserTag('SegmentLabel')));
  expect(labels).toEqual(['left/right', 'ö'.repeat(64), 'label 3', 'Kern']);
  expect(utf8(found[1], parserTag('SegmentDescription'))).toBe(`${'ö'.repeat(70)} (label value 2)`);
  const colours = found.map((item) => item.uint16(parserTag('RecommendedDisplayCIELabValue'), 1));
  expect(new Set(colours).size).toBe(4);
});

test('more frames than a file has room for are refused in a sentence', () => {
  const huge = { ...ofTwoSlices, rows: 2 ** 18, columns: 2 ** 18 };
  const refused = () => dicomSegmentation(huge, new Uint8Array(0), [{ value: 1, name: 'a' }], how);
  expect(refused).toThrow(UserError);
  expect(refused).toThrow(/^series: its 1 frames are more than one DICOM Segmentation holds\. Write NIfTI/);
});

test('a page can make it too: nothing that it is made with is of Node', () => {
  const source = fileURLToPath(new URL('../../src/formats/', import.meta.url));
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    expect(text, file).not.toMatch(/'node:|\bBuffer\b/);
    for (const [, path] of text.matchAll(/from '(\.[^']+)'/g)) visit(join(dirname(file), path));
  };
  for (const name of ['dicom-seg.ts', 'dicom-source.ts', 'dicom-elements.ts']) visit(join(source, name));
  expect(seen.size).toBeGreaterThan(8);
});
