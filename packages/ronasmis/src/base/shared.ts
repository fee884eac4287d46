/**
 * Float32 numbers in memory that threads share, or, in a page that may not have any, in memory of its own.
 * @param length how many, each 0
 */
export const sharedFloat32 = (length: number): Float32Array => new Float32Array(sharedBytes(4 * length));

/** Bytes in memory that threads share, or, in a page that may not have any, in memory of its own; each 0. */
export const sharedUint8 = (length: number): Uint8Array => new Uint8Array(sharedBytes(length));

/** Browsers have shared memory in pages alone that are isolated from all others (`crossOriginIsolated`). */
const sharedBytes = (bytes: number): ArrayBufferLike =>
  typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
