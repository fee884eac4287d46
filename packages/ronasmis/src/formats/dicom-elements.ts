import dicomParser, { type Element } from 'dicom-parser';
import { joined } from '../base/bytes.ts';

/**
 * The elements of a DICOM file in front of and with its pixel data, by tag as dicom-parser writes it (`x7fe00010`), without those inside of
 * sequences.
 */
export interface DicomElements {
  readonly bytes: Uint8Array;
  readonly byTag: ReadonlyMap<string, Element>;
}

export const PIXEL_DATA = 'x7fe00010';
/** Of compressed pixels, and of sequences and items that end with a delimiter. */
export const UNDEFINED_LENGTH = 0xffffffff;
/** So many bytes tell whether a file is DICOM. */
export const DICOM_PEEK_BYTES = 512;

const TRANSFER_SYNTAX = 'x00020010';
const LAST_OF_FILE_META = 'x0002ffff';
/** The transfer syntax without types in its elements; all others have them (part 5, chapter 10). */
const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** The retired big-endian one, and the deflated one. */
const UNSUPPORTED = ['1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'];
/** Types whose length has four bytes, behind two that are not used, and of which dicom-parser knows nothing. */
const OTHER_LONG_TYPES = ['OV', 'SV', 'UV'];

/** A file begins with 128 free bytes and this mark. */
const MARK = 'DICM';
const PREAMBLE_BYTES = 132;

/** One character for each byte. */
const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Where the elements begin: behind the preamble and its mark, or, of a file that was stored without them, at once.
 * @param bytes at least the first of the file
 * @returns undefined where it is no DICOM file
 */
export function elementsAt(bytes: Uint8Array): number | undefined {
  if (latin1(bytes.subarray(PREAMBLE_BYTES - MARK.length, PREAMBLE_BYTES)) === MARK) return PREAMBLE_BYTES;
  const [first, second] = firstTags(bytes);
  // Two elements in order, of the groups that come first, are no accident.
  return second !== undefined && /^x000[28]/.test(first) && second > first && second < 'x0011' ? 0 : undefined;
}

/** The tags of the first two elements of a file without preamble; fewer where the bytes can't be such. */
function firstTags(bytes: Uint8Array): readonly string[] {
  if (bytes.length === 0) return [];
  const tags: string[] = [];
  const stream = streamAt(bytes, 0);
  while (tags.length < 2 && stream.position + 12 <= bytes.length) {
    const { tag, length } = readHeader(stream, hasTypeAt(bytes, stream.position));
    tags.push(tag);
    stream.seek(length);
  }
  return tags;
}

/** Whether the element there states its type, two capital letters; in place of them others have the lower half of a length. */
const hasTypeAt = (bytes: Uint8Array, at: number): boolean => /^[A-Z]{2}$/.test(latin1(bytes.subarray(at + 4, at + 6)));

type Stream = InstanceType<typeof dicomParser.ByteStream>;

const streamAt = (bytes: Uint8Array, at: number): Stream =>
  new dicomParser.ByteStream(dicomParser.littleEndianByteArrayParser, bytes, at);

function peekTag(stream: Stream): string {
  const tag = dicomParser.readTag(stream);
  stream.seek(-4);
  return tag;
}

/** An element up to its value, in front of which the stream stands then. */
function readHeader(stream: Stream, hasTypes: boolean): Element {
  const tag = peekTag(stream);
  // It stops behind the header of the element that it is to stop at.
  if (!hasTypes) return dicomParser.readDicomElementImplicit(stream, tag);
  const element = dicomParser.readDicomElementExplicit(stream, [], tag);
  if (!OTHER_LONG_TYPES.includes(element.vr ?? '')) return element;
  return { ...element, length: stream.readUint32(), dataOffset: stream.position };
}

/** A file with the preamble, and the transfer syntax, that it was stored without: ITK asks for them. */
export function withPreamble(bytes: Uint8Array): Uint8Array {
  const preamble = new Uint8Array(PREAMBLE_BYTES);
  preamble.set(ascii(MARK), PREAMBLE_BYTES - MARK.length);
  if (dicomParser.readTag(streamAt(bytes, 0)) <= LAST_OF_FILE_META) return joined([preamble, bytes]);
  const syntax = hasTypeAt(bytes, 0) ? EXPLICIT_LITTLE_ENDIAN : IMPLICIT;
  const value = ascii(syntax.length % 2 ? `${syntax}\0` : syntax);
  // The element of the transfer syntax, and in front of it that of the length of its group.
  const header = [2, 0, 0, 0, 0x55, 0x4c, 4, 0, 8 + value.length, 0, 0, 0, 2, 0, 0x10, 0, 0x55, 0x49];
  return joined([preamble, Uint8Array.of(...header, value.length, 0), value, bytes]);
}

/**
 * Finds the elements of a DICOM file (part 5 of the standard, chapter 7), as dicom-parser reads them; behind its file meta information only where
 * `isSupported`. Its `parseDicom` is too strict for what hospitals have: it asks for a preamble and a transfer syntax, and reads all sequences, also those
 * whose length says where they end.
 * @returns undefined where the bytes end within an element: of a file that goes on, or was truncated
 */
export function findElements(bytes: Uint8Array): DicomElements | undefined {
  try {
    return walk(bytes);
  } catch {
    // It throws texts as well as errors, where it would read behind the end or finds another thing than what it looks for.
    return undefined;
  }
}

function walk(bytes: Uint8Array): DicomElements | undefined {
  const byTag = new Map<string, Element>();
  const elements = { bytes, byTag };
  const stream = streamAt(bytes, elementsAt(bytes) ?? PREAMBLE_BYTES);
  let hasTypes = stream.position > 0 || hasTypeAt(bytes, 0);
  let isFileMeta = true;
  while (stream.position < bytes.length) {
    if (isFileMeta && peekTag(stream) > LAST_OF_FILE_META) {
      isFileMeta = false;
      if (!isSupported(elements)) return elements;
      if (byTag.has(TRANSFER_SYNTAX)) hasTypes = textOf(elements, TRANSFER_SYNTAX) !== IMPLICIT;
    }
    const begin = stream.position;
    const header = readHeader(stream, hasTypes);
    byTag.set(header.tag, header);
    if (header.tag === PIXEL_DATA) return elements;
    if (header.length !== UNDEFINED_LENGTH) {
      stream.seek(header.length);
      continue;
    }
    stream.seek(begin - stream.position);
    const { dataOffset, length } = hasTypes
      ? dicomParser.readDicomElementExplicit(stream, [])
      : dicomParser.readDicomElementImplicit(stream);
    // What ends with the file, and not with a delimiter.
    if (stream.position === bytes.length && dataOffset + length === bytes.length) return undefined;
  }
  return stream.position === bytes.length ? elements : undefined;
}

/** Whether the elements are little-endian and not deflated. */
export const isSupported = (elements: DicomElements): boolean =>
  !UNSUPPORTED.includes(textOf(elements, TRANSFER_SYNTAX));

/** The bytes of an element's value; none where there is no such element. */
export function bytesOf({ bytes, byTag }: DicomElements, tag: string): Uint8Array {
  const { dataOffset = 0, length = 0 } = byTag.get(tag) ?? {};
  return bytes.subarray(dataOffset, dataOffset + length);
}

/** The text of an element, without padding; empty where there is none. */
export const textOf = (elements: DicomElements, tag: string): string =>
  latin1(bytesOf(elements, tag)).replace(/[\0 ]+$/, '');

/** The numbers of an element that states them as text; none where there is none. */
export function numbersOf(elements: DicomElements, tag: string): readonly number[] {
  const text = textOf(elements, tag);
  return text === '' ? [] : text.split('\\').map(Number);
}

/** The 16-bit number of an element; 0 where there is none. */
export function wordOf(elements: DicomElements, tag: string): number {
  const value = bytesOf(elements, tag);
  return value.length >= 2 ? value[0] + 256 * value[1] : 0;
}
