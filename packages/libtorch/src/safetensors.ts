import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LoadError } from './loading.ts';
import type { TensorArray } from './native.ts';
import { detach, notEqualScalar, reinterpret } from './operations.ts';
import {
  formatHeader,
  type Header,
  longestHeader,
  parseHeader,
  rank,
  type StoredTensor,
} from './safetensors-header.ts';
import { emptyArray, keep, scope, type Tensor, tensor } from './tensor.ts';

/** Node reads and writes at most 2 GiB in one call. */
const mostBytesAtOnce = 2 ** 30;

/**
 * The tensors of a safetensors file, on the CPU, in the order of their data; they live until they are freed or the garbage
 * collector finds them. Throws an error that names the file and what is wrong with it.
 */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Map<string, Tensor>; metadata: Readonly<Record<string, string>> }> {
  const file = await open(path, 'r');
  try {
    const { header, start } = await readHeader(file);
    const tensors = new Map<string, Tensor>();
    for (const stored of header.tensors) {
      const array = emptyArray(arrayType(stored), elements(stored.shape));
      await readFully(file, bytesOf(array), start + stored.begin);
      tensors.set(stored.name, fromStored(stored, array));
    }
    return { tensors, metadata: header.metadata };
  } catch (cause) {
    if (cause instanceof LoadError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path} is not a whole safetensors file: ${reason}.`, { cause });
  } finally {
    await file.close();
  }
}

/**
 * Writes tensors, from any device, so that Python's `safetensors` reads them. Their values are taken before this function first
 * waits: what happens to the tensors later does not matter. The file appears whole or not at all: it is written under another
 * name in the same folder, which replaces `path` once the disk has it.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (tensors.has('__metadata__'))
    throw new Error("A tensor cannot be named '__metadata__': the format keeps that name.");
  const { described, arrays } = toStored(tensors);
  const header = Buffer.from(formatHeader(described, metadata));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));

  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      for (const bytes of [length, header, ...arrays.map(bytesOf)]) await writeFully(file, bytes);
      await sync(file);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function readHeader(file: FileHandle): Promise<{ header: Header; start: number }> {
  const { size } = await file.stat();
  if (size < 8) throw new Error(`it has ${size} bytes, fewer than the 8 of its first number`);
  const length = Buffer.alloc(8);
  await readFully(file, length, 0);
  const headerBytes = length.readBigUInt64LE();
  if (headerBytes > BigInt(Math.min(longestHeader, size - 8)))
    throw new Error(`its header is said to have ${headerBytes} bytes, and the file has ${size}`);
  const text = Buffer.alloc(Number(headerBytes));
  await readFully(file, text, 8);
  const start = 8 + text.length;
  return { header: parseHeader(text.toString('utf8'), size - start), start };
}

/** bfloat16 and float16 have no array in JavaScript: their bits travel as those of another type. */
function arrayType({
  dataType,
}: Pick<StoredTensor, 'dataType'>): Exclude<StoredTensor['dataType'], 'bfloat16' | 'float16'> {
  return dataType === 'bfloat16' || dataType === 'float16' ? 'int16' : dataType;
}

function fromStored({ dataType, shape }: StoredTensor, array: TensorArray): Tensor {
  return keep(() => {
    const raw = tensor(array, shape, { share: true });
    // A byte that is neither 0 nor 1 would not be a boolean that libtorch can handle.
    if (dataType === 'bool') return notEqualScalar(raw, 0);
    return arrayType({ dataType }) === dataType ? raw : reinterpret(raw, dataType);
  });
}

/** The tensors in the order in which the reference implementation writes them: by data type, then by name. */
function toStored(tensors: ReadonlyMap<string, Tensor>): { described: StoredTensor[]; arrays: TensorArray[] } {
  const named = [...tensors].map(([name, value]) => ({ name, value, dataType: value.dataType }));
  named.sort((a, b) => rank(a.dataType) - rank(b.dataType) || (a.name < b.name ? -1 : 1));
  let end = 0;
  const arrays: TensorArray[] = [];
  const described = named.map(({ name, value, dataType }) => {
    const wanted = arrayType({ dataType });
    const array = scope(() => (wanted === dataType ? value : reinterpret(detach(value), wanted)).toArray());
    arrays.push(array);
    const begin = end;
    end += array.byteLength;
    return { name, dataType, shape: value.shape, begin, end };
  });
  return { described, arrays };
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function bytesOf(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(mostBytesAtOnce, target.length - done);
    const { bytesRead } = await file.read(target, done, length, position + done);
    if (bytesRead === 0) throw new Error('it ended while it was read');
    done += bytesRead;
  }
}

async function writeFully(file: FileHandle, source: Uint8Array): Promise<void> {
  for (let done = 0; done < source.length; ) {
    const { bytesWritten } = await file.write(source, done, Math.min(mostBytesAtOnce, source.length - done));
    done += bytesWritten;
  }
}

/** Some file systems, as those of network disks, refuse to say when bytes are on the disk. */
async function sync(file: FileHandle): Promise<void> {
  await file.sync().catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!/^(EINVAL|ENOTSUP|EOPNOTSUPP|ENOSYS)$/.test(code)) throw error;
  });
}

/** The new name itself lasts through a power failure only once the folder is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await sync(folder);
  } finally {
    await folder.close();
  }
}
