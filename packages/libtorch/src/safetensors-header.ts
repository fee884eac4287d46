import type { DataType } from './tensor.ts';

/** One tensor as a header describes it; its bytes stand from `begin` to `end` behind the header. */
export interface StoredTensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The longest header that the format's reference implementation reads, in bytes. */
export const longestHeader = 100_000_000;

/** The format's names of data types and their sizes in bytes, from the order in which the reference implementation writes them. */
const storedTypes: readonly { readonly dataType: DataType; readonly stored: string; readonly bytes: number }[] = [
  { dataType: 'int64', stored: 'I64', bytes: 8 },
  { dataType: 'float64', stored: 'F64', bytes: 8 },
  { dataType: 'float32', stored: 'F32', bytes: 4 },
  { dataType: 'int32', stored: 'I32', bytes: 4 },
  { dataType: 'bfloat16', stored: 'BF16', bytes: 2 },
  { dataType: 'float16', stored: 'F16', bytes: 2 },
  { dataType: 'int16', stored: 'I16', bytes: 2 },
  { dataType: 'uint8', stored: 'U8', bytes: 1 },
  { dataType: 'bool', stored: 'BOOL', bytes: 1 },
];

/**
 * The header of a safetensors file. Throws an error whose message ends the sentence "PATH is not a safetensors file: ..." where
 * it does not describe exactly the `dataBytes` bytes that stand behind it, without gaps or overlaps.
 */
export function parseHeader(text: string, dataBytes: number): Header {
  const entries = Object.entries(record(parseJson(text), 'its header'));
  const tensors = entries
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => storedTensor(name, value))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.begin !== end) throw new Error(`the data of '${tensor.name}' does not begin where that before it ends`);
    end = tensor.end;
  }
  if (end !== dataBytes) throw new Error(`its tensors take ${end} bytes, but ${dataBytes} stand behind its header`);
  const [, described] = entries.find(([name]) => name === '__metadata__') ?? ['', {}];
  return { tensors, metadata: texts(described) };
}

/** The header's text of tensors in the order in which their data follow, padded so that the data begin at a multiple of 8 bytes. */
export function formatHeader(tensors: readonly StoredTensor[], metadata: Readonly<Record<string, string>>): string {
  const described = tensors.map(({ name, dataType, shape, begin, end }) => [
    name,
    { dtype: storedTypes[rank(dataType)].stored, shape, data_offsets: [begin, end] },
  ]);
  const entries = Object.keys(metadata).length > 0 ? [['__metadata__', metadata], ...described] : described;
  const text = JSON.stringify(Object.fromEntries(entries));
  return text + ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8);
}

/** The position of a data type in the order of the file: large elements first, so that all are aligned. */
export function rank(dataType: DataType): number {
  return storedTypes.findIndex((type) => type.dataType === dataType);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('its header is not JSON', { cause });
  }
}

function record(value: unknown, what: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not a JSON object`);
  return value;
}

function storedTensor(name: string, value: unknown): StoredTensor {
  const fields = new Map<string, unknown>(Object.entries(record(value, `its description of '${name}'`)));
  const stored = fields.get('dtype');
  const type = storedTypes.find((known) => known.stored === stored);
  if (!type) throw new Error(`the data type ${JSON.stringify(stored)} of '${name}' is not known here`);
  const shape = counts(fields.get('shape'), `the shape of '${name}'`);
  const [begin, end, ...more] = counts(fields.get('data_offsets'), `the place of '${name}'`);
  if (begin === undefined || end === undefined || more.length > 0)
    throw new Error(`the place of '${name}' is not a pair`);
  // A product of whole numbers that leaves the exact ones is larger than any file, so that it is found to differ.
  const bytes = shape.reduce((product, size) => product * size, type.bytes);
  if (end - begin !== bytes) throw new Error(`'${name}' takes ${end - begin} bytes, but its shape needs ${bytes}`);
  return { name, dataType: type.dataType, shape, begin, end };
}

function counts(value: unknown, what: string): number[] {
  const found: number[] = [];
  for (const item of Array.isArray(value) ? value : [undefined]) {
    if (!Number.isSafeInteger(item) || item < 0) throw new Error(`${what} is not a list of counts`);
    found.push(item);
  }
  return found;
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(record(value, 'its metadata')).map(([name, text]): [string, string] => {
    if (typeof text !== 'string') throw new Error(`its metadata '${name}' is not a text`);
    return [name, text];
  });
  return Object.fromEntries(entries);
}
