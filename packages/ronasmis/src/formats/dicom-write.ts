import { joined } from '../base/bytes.ts';
import { VERSION } from '../base/version.ts';
import { type Dataset, ELEMENTS, type ValueType } from './dicom-dictionary.ts';

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** What wrote a file (part 7, D.3.3.2): drawn once, as {@link newUid} draws them. */
const IMPLEMENTATION = '2.25.16890321368584564224474929446630288135';

/** A file begins with bytes that are free for use (part 10, 7.1), and this mark. */
export const FREE_BYTES = 128;
const MARK = 'DICM';

/** Types whose length has four bytes, behind two that are not used (part 5, 7.1.2). */
const LONG_TYPES: readonly ValueType[] = ['OB', 'SQ'];
/** The tag of an item of a sequence. */
const ITEM = 0xfffee000;

type Value = string | Uint8Array | readonly number[] | readonly Dataset[];

/** A unique identifier that nobody else has: a random UUID as one number (part 5, B.2). */
export function newUid(): string {
  // Not by `randomUUID`, which pages have by https alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  return `2.25.${BigInt(`0x${digits.join('')}`)}`;
}

/**
 * The bytes of a DICOM file (part 10): little-endian, with the types of its elements. Nothing of Node is used, so that a page can write it too.
 * @param dataset with its SOP class and instance
 */
export function dicomFile(
  dataset: Dataset & { readonly SOPClassUID: string; readonly SOPInstanceUID: string },
): Uint8Array {
  const meta = encodeDataset({
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: dataset.SOPClassUID,
    MediaStorageSOPInstanceUID: dataset.SOPInstanceUID,
    TransferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
    ImplementationClassUID: IMPLEMENTATION,
    ImplementationVersionName: `RONASMIS_${VERSION}`,
  });
  const length = encodeDataset({ FileMetaInformationGroupLength: [meta.length] });
  const free = new Uint8Array(FREE_BYTES);
  return joined([free, new TextEncoder().encode(MARK), length, meta, encodeDataset(dataset)]);
}

/** The elements of a dataset one after the other, as they lie in a file (part 5, chapter 7). */
export function encodeDataset(dataset: Dataset): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [keyword, tag, type] of ELEMENTS) {
    const value = dataset[keyword];
    if (value === undefined) continue;
    const bytes = encodeValue(type, value);
    parts.push(headerOf(tag, type, bytes.length), bytes);
  }
  return joined(parts);
}

/** Its length is even: what is odd is padded. */
function encodeValue(type: ValueType, value: Value): Uint8Array {
  if (typeof value === 'string') return padded(new TextEncoder().encode(value), type === 'UI' ? '\0' : ' ');
  if (value instanceof Uint8Array) return padded(value, '\0');
  if (!areNumbers(value)) return joined(value.flatMap(encodeItem));
  const bytes = type === 'US' ? 2 : 4;
  const view = new DataView(new ArrayBuffer(value.length * bytes));
  value.forEach((number, i) => {
    if (type === 'US') view.setUint16(i * bytes, number, true);
    else if (type === 'AT') setTag(view, i * bytes, number);
    else view.setUint32(i * bytes, number, true);
  });
  return new Uint8Array(view.buffer);
}

const areNumbers = (value: readonly number[] | readonly Dataset[]): value is readonly number[] =>
  typeof value[0] === 'number';

function encodeItem(item: Dataset): readonly Uint8Array[] {
  const content = encodeDataset(item);
  const view = new DataView(new ArrayBuffer(8));
  setTag(view, 0, ITEM);
  view.setUint32(4, content.length, true);
  return [new Uint8Array(view.buffer), content];
}

function headerOf(tag: number, type: ValueType, length: number): Uint8Array {
  const isLong = LONG_TYPES.includes(type);
  if (!isLong && length > 0xffff) throw new RangeError(`A value of ${length} bytes is too long for the type ${type}.`);
  const view = new DataView(new ArrayBuffer(isLong ? 12 : 8));
  setTag(view, 0, tag);
  view.setUint8(4, type.charCodeAt(0));
  view.setUint8(5, type.charCodeAt(1));
  if (isLong) view.setUint32(8, length, true);
  else view.setUint16(6, length, true);
  return new Uint8Array(view.buffer);
}

/** A tag is two numbers of 16 bits, each little-endian. */
function setTag(view: DataView, at: number, tag: number): void {
  view.setUint16(at, tag >>> 16, true);
  view.setUint16(at + 2, tag & 0xffff, true);
}

const padded = (bytes: Uint8Array, padding: '\0' | ' '): Uint8Array =>
  bytes.length % 2 === 0 ? bytes : joined([bytes, Uint8Array.of(padding.charCodeAt(0))]);
