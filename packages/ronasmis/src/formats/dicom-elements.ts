/** The elements of a DICOM file in front of and with its pixel data, by tag (group * 65536 + element), without those inside of sequences. */
export type DicomElements = ReadonlyMap<number, DicomElement>;

export interface DicomElement {
  /** Where the value begins, in bytes. */
  readonly at: number;
  /** In bytes; `UNDEFINED_LENGTH` for compressed pixels. */
  readonly length: number;
  readonly value: Buffer;
}

export const UNDEFINED_LENGTH = 0xffffffff;
export const PIXEL_DATA = 0x7fe00010;

const TRANSFER_SYNTAX = 0x00020010;
/** The transfer syntax without types in its elements; all others have them (part 5, chapter 10). */
const IMPLICIT = '1.2.840.10008.1.2';
/** The retired big-endian one, and the deflated one. */
const UNSUPPORTED = ['1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'];

/** A file begins with 128 free bytes and this mark. */
const MARK = 'DICM';
const PREAMBLE_BYTES = 132;
/** So many bytes tell whether a file is DICOM. */
export const DICOM_PEEK_BYTES = 512;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const LAST_OF_FILE_META = 0x0002ffff;
const [ITEM, ITEM_END, SEQUENCE_END] = [0xfffee000, 0xfffee00d, 0xfffee0dd];
/** Types whose length has four bytes, behind two that are not used. */
const LONG_TYPES = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'];

/**
 * Where the elements begin: behind the preamble and its mark, or, of a file that was stored without them, at once.
 * @param bytes at least the first of the file
 * @returns undefined where it is no DICOM file
 */
export function elementsAt(bytes: Buffer): number | undefined {
  if (bytes.toString('latin1', PREAMBLE_BYTES - MARK.length, PREAMBLE_BYTES) === MARK) return PREAMBLE_BYTES;
  const [first, second] = elementHeaders(bytes);
  const group = first?.tag ? first.tag >>> 16 : 0;
  // Two elements in order, of the groups that come first, are no accident.
  return second && (group === 2 || group === 8) && second.tag > first.tag && second.tag >>> 16 <= 0x10 ? 0 : undefined;
}

/** The first two elements of a file without preamble; fewer where the bytes can't be such. */
function elementHeaders(bytes: Buffer): readonly { readonly tag: number }[] {
  const headers: { tag: number }[] = [];
  let at = 0;
  while (headers.length < 2 && at + 12 <= bytes.length) {
    headers.push({ tag: tagAt(bytes, at) });
    const type = hasTypeAt(bytes, at) ? bytes.toString('latin1', at + 4, at + 6) : '';
    if (LONG_TYPES.includes(type)) at += 12 + bytes.readUInt32LE(at + 8);
    else at += 8 + (type === '' ? bytes.readUInt32LE(at + 4) : bytes.readUInt16LE(at + 6));
  }
  return headers;
}

const tagAt = (bytes: Buffer, at: number): number => bytes.readUInt16LE(at) * 0x10000 + bytes.readUInt16LE(at + 2);

/** Whether the element there states its type, two capital letters; in place of them others have the lower half of a length. */
const hasTypeAt = (bytes: Buffer, at: number): boolean => /^[A-Z]{2}$/.test(bytes.toString('latin1', at + 4, at + 6));

/** A file with the preamble, and the transfer syntax, that it was stored without. */
export function withPreamble(bytes: Buffer): Buffer {
  const preamble = Buffer.alloc(PREAMBLE_BYTES);
  preamble.write(MARK, PREAMBLE_BYTES - MARK.length);
  if (tagAt(bytes, 0) <= LAST_OF_FILE_META) return Buffer.concat([preamble, bytes]);
  const syntax = hasTypeAt(bytes, 0) ? EXPLICIT_LITTLE_ENDIAN : IMPLICIT;
  const value = Buffer.from(syntax.length % 2 ? `${syntax}\0` : syntax);
  // The element of the transfer syntax, and in front of it that of the length of its group.
  const header = Buffer.from([2, 0, 0, 0, 0x55, 0x4c, 4, 0, 8 + value.length, 0, 0, 0, 2, 0, 0x10, 0, 0x55, 0x49]);
  return Buffer.concat([preamble, header, Buffer.from([value.length, 0]), value, bytes]);
}

/**
 * Finds the elements of a DICOM file (part 5 of the standard, chapter 7); behind its file meta information only where `isSupported`.
 * @returns undefined where the bytes end within an element: of a file that goes on, or was truncated
 */
export function findElements(bytes: Buffer): DicomElements | undefined {
  const elements = new Map<number, DicomElement>();
  /** Of every sequence and item of unknown length that is open: whether elements behind it have types. */
  const open: boolean[] = [];
  let at = elementsAt(bytes) ?? PREAMBLE_BYTES;
  let hasTypes = at > 0 || hasTypeAt(bytes, 0);
  while (at + 8 <= bytes.length) {
    const tag = tagAt(bytes, at);
    if (open.length === 0 && tag > LAST_OF_FILE_META && elements.has(TRANSFER_SYNTAX)) {
      if (!isSupported(elements)) return elements;
      hasTypes = textOf(elements.get(TRANSFER_SYNTAX)) !== IMPLICIT;
    }
    const isDelimiter = tag === ITEM || tag === ITEM_END || tag === SEQUENCE_END;
    const type = hasTypes && !isDelimiter ? bytes.toString('latin1', at + 4, at + 6) : undefined;
    const isLong = type !== undefined && LONG_TYPES.includes(type);
    const valueAt = at + (isLong ? 12 : 8);
    if (valueAt > bytes.length) return undefined;
    const length = type === undefined || isLong ? bytes.readUInt32LE(valueAt - 4) : bytes.readUInt16LE(valueAt - 2);
    const isOpen = length === UNDEFINED_LENGTH;
    if (open.length === 0) {
      const value = bytes.subarray(valueAt, isOpen ? valueAt : valueAt + length);
      elements.set(tag, { at: valueAt, length, value });
      if (tag === PIXEL_DATA) return elements;
    }
    if (tag === ITEM_END || tag === SEQUENCE_END) hasTypes = open.pop() ?? hasTypes;
    else if (isOpen) {
      open.push(hasTypes);
      // What is of unknown type and length has no types inside (part 5, 6.2.2).
      if (type === 'UN') hasTypes = false;
    }
    at = isOpen ? valueAt : valueAt + length;
  }
  return at === bytes.length ? elements : undefined;
}

/** Whether the elements are little-endian and not deflated. */
export const isSupported = (elements: DicomElements): boolean =>
  !UNSUPPORTED.includes(textOf(elements.get(TRANSFER_SYNTAX)));

/** The text of an element, without padding; empty where there is none. */
export const textOf = (element: DicomElement | undefined): string =>
  element?.value.toString('latin1').replace(/[\0 ]+$/, '') ?? '';

/** The numbers of an element that states them as text; none where there is none. */
export const numbersOf = (element: DicomElement | undefined): readonly number[] =>
  textOf(element) === '' ? [] : textOf(element).split('\\').map(Number);

/** The 16-bit number of an element; 0 where there is none. */
export const wordOf = (element: DicomElement | undefined): number =>
  element !== undefined && element.value.length >= 2 ? element.value.readUInt16LE() : 0;
