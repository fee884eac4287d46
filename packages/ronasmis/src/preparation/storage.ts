import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fixable } from '../base/files.ts';

/** Where the arrays of a prepared case are: in shared memory, or as raw files in this machine's byte order. */
export type CaseStorage =
  | { readonly kind: 'memory'; readonly image: Float32Array; readonly label: Uint8Array }
  | ({ readonly kind: 'disk' } & CaseFiles);

/** The raw files of a prepared case. */
export interface CaseFiles {
  readonly imageFile: string;
  readonly labelFile: string;
}

/** The files whose names begin with `path`. */
export const caseFiles = (path: string): CaseFiles => ({
  imageFile: `${path}.image.float32`,
  labelFile: `${path}.label.uint8`,
});

/** Moves arrays from memory to two raw files whose names begin with `path`. @throws UserError where the disk does not take them */
export async function moveToDisk(path: string, image: Float32Array, label: Uint8Array): Promise<CaseStorage> {
  const { imageFile, labelFile } = caseFiles(path);
  // New files, for the old ones may have other names, under which they are read.
  for (const file of [imageFile, labelFile]) await fixable(file, () => rm(file, { force: true }));
  await fixable(imageFile, () =>
    writeFile(imageFile, new Uint8Array(image.buffer, image.byteOffset, image.byteLength)),
  );
  await fixable(labelFile, () => writeFile(labelFile, label));
  return { kind: 'disk', imageFile, labelFile };
}

/** The values [from, to) of the image, flat `[channel, depth, height, width]`: a view where they are in memory. */
export function imageSpan(storage: CaseStorage, from: number, to: number): Float32Array {
  if (storage.kind === 'memory') return storage.image.subarray(from, to);
  return new Float32Array(readSpan(storage.imageFile, 4 * from, 4 * to));
}

/** Changes the values [from, to) of the image where they are, in memory or on the disk. */
export function changeImage(
  storage: CaseStorage,
  from: number,
  to: number,
  change: (values: Float32Array) => void,
): void {
  const values = imageSpan(storage, from, to);
  change(values);
  if (storage.kind === 'disk') writeSpan(storage.imageFile, 4 * from, values);
}

/** The values [from, to) of the label, flat `[depth, height, width]`: a view where they are in memory. */
export function labelSpan(storage: CaseStorage, from: number, to: number): Uint8Array {
  if (storage.kind === 'memory') return storage.label.subarray(from, to);
  return new Uint8Array(readSpan(storage.labelFile, from, to));
}

function writeSpan(file: string, from: number, values: Float32Array): void {
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, values, 0, values.byteLength, from);
  } finally {
    closeSync(descriptor);
  }
}

function readSpan(file: string, from: number, to: number): ArrayBuffer {
  const bytes = new Uint8Array(to - from);
  const descriptor = openSync(file, 'r');
  try {
    const count = readSync(descriptor, bytes, 0, bytes.length, from);
    if (count !== bytes.length) throw new Error(`${file}: this prepared case is shorter than it was written.`);
  } finally {
    closeSync(descriptor);
  }
  return bytes.buffer;
}
