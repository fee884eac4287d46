import { PackingError, type Unpacking } from 'ronasmis/segmenter';

/** As the browser's own streams unpack, a file of one gzip stream. */
export const unpacking: Unpacking = {
  start: async (bytes) => {
    const reader = unpacked(bytes).getReader();
    const { value = new Uint8Array() } = await reader.read();
    // The rest of the file is not there: what is said of that is of no interest.
    await reader.cancel().catch(() => {});
    return value;
  },
  whole: async (bytes, expected, most) => {
    const content = new Uint8Array(most);
    let length = 0;
    const reader = unpacked(bytes).getReader();
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new PackingError(length < expected ? 'truncated' : 'damaged');
      });
      if (done) return content.subarray(0, length);
      if (length + value.length > most) throw new PackingError('too_long');
      content.set(value, length);
      length += value.length;
    }
  },
  // What browsers give an array at most, a little less.
  mostBytes: 2 ** 31 - 2 ** 20,
};

function unpacked(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
}

/** Packed bytes. */
export async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
