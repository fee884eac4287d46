import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dataSet, type Inputs, image, storedImage, withBytes, withImage } from './inputs.ts';

const unpacked = gunzipSync(storedImage);

/** The stored image with the bytes from `at` on replaced; counted from the end where negative. */
function damaged(at: number, bytes: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(storedImage);
  copy.set(bytes, at < 0 ? copy.length + at : at);
  return copy;
}

/** A NIfTI-1 header that claims so many voxels of float32. */
function claiming(x: number, y: number, z: number): Buffer {
  const header = Buffer.from(unpacked.subarray(0, 352));
  [x, y, z].forEach((size, axis) => {
    header.writeInt16LE(size, 42 + 2 * axis);
  });
  header.writeInt16LE(16, 70);
  return header;
}

/** The same as NIfTI-2, whose sizes have 64 bits. */
function claimingPetabytes(): Buffer {
  const header = Buffer.alloc(544);
  header.writeInt32LE(540);
  header.write('n+2\0\r\n\x1a\n', 4, 'latin1');
  header.writeInt16LE(4, 12);
  [3, 2 ** 40, 64, 64].forEach((size, axis) => {
    header.writeBigInt64LE(BigInt(size), 16 + 8 * axis);
  });
  header.writeBigInt64LE(544n, 168);
  [0, 5, 10].forEach((diagonal) => {
    header.writeDoubleLE(1, 400 + 8 * diagonal);
  });
  header.writeInt32LE(1, 348);
  return header;
}

/** In place of an image: what `make` puts there. */
const replaced = (make: (file: string) => unknown) =>
  dataSet(async (copy) => {
    await rm(image(copy));
    await make(image(copy));
  });

/** What is wrong with a file as a whole. */
export const files: Inputs = {
  'An empty file': withImage(new Uint8Array()),
  'A file that ends within its header': withImage(unpacked.subarray(0, 200)),
  'A file that ends within its voxels': withImage(unpacked.subarray(0, 5000)),
  'A gzip file of which the end is missing': withImage(storedImage.subarray(0, storedImage.length - 500)),
  'A gzip file of which nothing but the beginning is there': withImage(storedImage.subarray(0, 10)),
  'A gzip file with damage in the middle': withImage(damaged(2000, [1, 2, 3, 4, 5, 6])),
  'A gzip file with a wrong checksum': withImage(damaged(-8, [1, 2, 3, 4])),
  'A gzip file with a wrong length': withImage(damaged(-4, [1, 2, 3, 4])),
  'A gzip file packed twice': withImage(gzipSync(storedImage)),
  'Another file under the name of a scan': withImage(Buffer.from('<html>Log in to download this file.</html>')),
  'A gzip bomb: more is packed than the header says': withBytes((bytes) =>
    Buffer.concat([bytes, Buffer.alloc(2 ** 24)]),
  ),
  'A small file that claims petabytes': withImage(gzipSync(claimingPetabytes())),
  'A scan larger than 4 GiB': withImage(Buffer.concat([gzipSync(claiming(1100, 1000, 1000)), Buffer.alloc(5_000_000)])),
  'Bytes behind the voxels': withBytes((bytes) => Buffer.concat([bytes, Buffer.alloc(70_000)])),
  'A folder where a scan should be': replaced((file) => mkdir(file)),
  'A link that leads to itself': replaced((file) => symlink(file, file)),
  'A pipe where a scan should be': replaced((file) => execFileSync('mkfifo', [file])),
  'Garbage behind the gzip stream': withImage(Buffer.concat([storedImage, Buffer.from('garbage')])),
  'Zeros behind the gzip stream': withImage(Buffer.concat([storedImage, Buffer.alloc(100)])),
  'An unpacked scan under the name of a packed one': withImage(unpacked),
};
