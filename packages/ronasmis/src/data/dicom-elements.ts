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

/** The 128 free bytes and the mark that a file begins with. */
const PREAMBLE_BYTES = 132;
const LAST_OF_FILE_META = 0x0002ffff;
const [ITEM, ITEM_END, SEQUENCE_END] = [0xfffee000, 0xfffee00d, 0xfffee0dd];
/** Types whose length has four bytes, behind two that are not used. */
const LONG_TYPES = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'];

/**
 * Finds the elements of a DICOM file (part 5 of the standard, chapter 7); behind its file meta information only where `isSupported`.
 * @returns undefined where the bytes end within an element: of a file that goes on, or was truncated
 */
export function findElements(bytes: Buffer): DicomElements | undefined {
  const elements = new Map<number, DicomElement>();
  /** Of every sequence and item of unknown length that is open: whether elements behind it have types. */
  const open: boolean[] = [];
  let hasTypes = true;
  let at = PREAMBLE_BYTES;
  while (at + 8 <= bytes.length) {
    const tag = bytes.readUInt16LE(at) * 0x10000 + bytes.readUInt16LE(at + 2);
    if (open.length === 0 && tag > LAST_OF_FILE_META) {
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
