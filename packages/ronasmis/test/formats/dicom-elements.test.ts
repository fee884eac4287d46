import { describe, expect, test } from 'vitest';
import {
  elementsAt,
  findElements,
  isSupported,
  numbersOf,
  PIXEL_DATA,
  textOf,
  withPreamble,
  wordOf,
} from '../../src/formats/dicom-elements.ts';

const LONG = /^(OB|OV|OW|SQ|SV|UN|UV)$/;
const UNDEFINED = 0xffffffff;

/** An element with its type, as part 5 of the standard has it (7.1.2); `length` where it is stated otherwise than it is. */
function element(tag: number, type: string, value: Buffer | string, length?: number): Buffer {
  const bytes = Buffer.from(value);
  const header = Buffer.alloc(LONG.test(type) ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  header.write(type, 4, 'latin1');
  if (LONG.test(type)) header.writeUInt32LE(length ?? bytes.length, 8);
  else header.writeUInt16LE(length ?? bytes.length, 6);
  return Buffer.concat([header, bytes]);
}

/** An item, or what ends one or a sequence: without a type. */
function item(element: 0xe000 | 0xe00d | 0xe0dd, value: Buffer, length = value.length): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(0xfffe, 0);
  header.writeUInt16LE(element, 2);
  header.writeUInt32LE(length, 4);
  return Buffer.concat([header, value]);
}

const word = (value: number): Buffer => Buffer.from([value & 0xff, value >>> 8]);
const nothing = Buffer.alloc(0);
const syntaxOf = (uid: string): Buffer => element(0x00020010, 'UI', uid.padEnd(uid.length + (uid.length % 2), '\0'));
const EXPLICIT = syntaxOf('1.2.840.10008.1.2.1');
const rows = element(0x00280010, 'US', word(7));
const pixels = element(0x7fe00010, 'OW', Buffer.alloc(8));

/** A file with its preamble. */
const file = (...elements: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), ...elements]);

/** The rows that the elements of a file state, and where its pixels begin, counted from the end of the file. */
function read(bytes: Uint8Array) {
  const found = findElements(bytes);
  const at = found?.byTag.get(PIXEL_DATA)?.dataOffset;
  return found && { rows: wordOf(found, 'x00280010'), behindPixels: at && bytes.length - at };
}

describe('elements are found behind', () => {
  const whole = { rows: 7, behindPixels: 8 };
  const inner = element(0x00080060, 'CS', 'CT');
  const delimited = Buffer.concat([
    item(0xe000, Buffer.concat([inner, item(0xe00d, nothing)]), UNDEFINED),
    item(0xe000, inner),
    item(0xe0dd, nothing),
  ]);

  test.each<[string, Buffer]>([
    ['nothing else', nothing],
    [
      'a sequence of items, with and without a length, that ends with a delimiter',
      element(0x00081140, 'SQ', delimited, UNDEFINED),
    ],
    ['a sequence of a stated length', element(0x00081140, 'SQ', item(0xe000, inner))],
    ['a sequence of a stated length that holds no items', element(0x00091140, 'SQ', Buffer.from('of another maker'))],
    [
      'what is of unknown type and length, whose items have no types',
      element(
        0x00091140,
        'UN',
        Buffer.concat([item(0xe000, Buffer.from([8, 0, 0x60, 0, 2, 0, 0, 0, 0x43, 0x54])), item(0xe0dd, nothing)]),
        UNDEFINED,
      ),
    ],
    [
      'numbers of 64 bits',
      Buffer.concat(['SV', 'UV', 'OV'].map((type, i) => element(0x00091001 + i, type, Buffer.alloc(16)))),
    ],
  ])('%s', (_, before) => {
    expect(read(file(EXPLICIT, before, rows, pixels))).toEqual(whole);
  });

  test('a preamble without a transfer syntax, and nothing at all', () => {
    const modality = element(0x00080060, 'CS', 'CT');
    expect(read(file(modality, rows, pixels))).toEqual(whole);
    const first = element(0x00080008, 'CS', 'AXIAL ');
    expect(read(Buffer.concat([first, modality, rows, pixels]))).toEqual(whole);
  });

  test('an extended table of offsets, of compressed pixels', () => {
    const table = element(0x7fe00001, 'OV', Buffer.alloc(8));
    const compressed = element(0x7fe00010, 'OB', item(0xe000, nothing), UNDEFINED);
    expect(read(file(EXPLICIT, rows, table, compressed))).toEqual(whole);
  });
});

describe('undefined where the bytes end', () => {
  const inSequence = element(0x00081140, 'SQ', item(0xe000, rows, UNDEFINED), UNDEFINED);
  test.each<[string, Buffer]>([
    ['within a value', file(EXPLICIT, rows).subarray(0, -1)],
    ['within a header', file(EXPLICIT, rows).subarray(0, -5)],
    ['in front of a length that goes beyond them', file(EXPLICIT, element(0x00080060, 'CS', 'CT', 300))],
    ['within a sequence that no delimiter ends', file(EXPLICIT, inSequence)],
    ['within bytes that no delimiter ends', file(EXPLICIT, element(0x00091001, 'OB', 'bytes.', UNDEFINED))],
  ])('%s', (_, bytes) => {
    expect(findElements(bytes)).toBe(undefined);
  });

  test('within sequences in each other, more than any stack has room for', () => {
    const level = element(0x00081140, 'SQ', item(0xe000, nothing, UNDEFINED), UNDEFINED);
    expect(findElements(file(EXPLICIT, ...Array<Buffer>(100_000).fill(level)))).toBe(undefined);
  });
});

test('what is big-endian or deflated is not looked into', () => {
  for (const uid of ['1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99']) {
    const found = findElements(file(syntaxOf(uid), Buffer.from('whatever comes')));
    expect(found && isSupported(found)).toBe(false);
  }
});

test('texts are without padding, numbers separated by backslashes, and 0 or none where there is no element', () => {
  const found = findElements(file(EXPLICIT, element(0x00200032, 'DS', '1.5\\-2\\3e1 '), rows, pixels));
  if (found === undefined) throw new Error('It is whole.');
  expect(textOf(found, 'x00020010')).toBe('1.2.840.10008.1.2.1');
  expect(numbersOf(found, 'x00200032')).toEqual([1.5, -2, 30]);
  expect([textOf(found, 'x00200037'), numbersOf(found, 'x00200037'), wordOf(found, 'x00280011')]).toEqual(['', [], 0]);
});

test('a preamble is added with the transfer syntax that the elements are in', () => {
  const modality = element(0x00080060, 'CS', 'CT');
  const added = withPreamble(Buffer.concat([modality, rows, pixels]));
  expect(elementsAt(added)).toBe(132);
  const found = findElements(added);
  expect(found && textOf(found, 'x00020010')).toBe('1.2.840.10008.1.2.1');
  expect(read(added)).toEqual({ rows: 7, behindPixels: 8 });
});
