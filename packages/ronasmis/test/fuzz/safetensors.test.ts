import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataType, ones, readSafetensors, scope, to, writeSafetensors } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../formats/scans.ts';
import { fuzz, mutated, timeout } from './harness.ts';
import { mutatedJson } from './json.ts';

const folder = await temporaryFolder();
const file = join(folder, 'model.safetensors');
/** Bytes of a number. */
const elementBytes: Readonly<Record<DataType, number>> = {
  float32: 4,
  float64: 8,
  bfloat16: 2,
  float16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  uint8: 1,
  bool: 1,
};
const types = ['float32', 'float64', 'bfloat16', 'float16', 'int64', 'int32', 'int16', 'uint8', 'bool'] as const;
const tensors = types.map((type, i) => [type, to(ones([i % 3, 2, 3]), { dataType: type })] as const);
await writeSafetensors(file, new Map([...tensors, ['scalar', ones([])]]), { made: 'here' });
const valid = await readFile(file);
const dataStart = 8 + Number(valid.readBigUInt64LE());

/** The file with another header, whose length is right. */
function withHeader(header: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, valid.subarray(dataStart)]);
}

test(
  'a damaged safetensors file is refused in a sentence that names it, or is what its header says',
  async () => {
    const header: unknown = JSON.parse(valid.subarray(8, dataStart).toString());
    const inputs = fc.oneof(mutated([valid], [{ at: 0, width: 8 }]), mutatedJson([header]).map(withHeader));
    const read = async (bytes: Uint8Array) => {
      await writeFile(file, bytes);
      const found = await readSafetensors(file);
      let end = 8 + Number(Buffer.from(bytes).readBigUInt64LE());
      for (const tensor of found.tensors.values()) {
        const numbers = scope(() => to(tensor, { dataType: 'float64' }).toNumbers());
        expect(numbers.length).toBe(tensor.shape.reduce((product, size) => product * size, 1));
        end += numbers.length * elementBytes[tensor.dataType];
        tensor.free();
      }
      expect(end).toBe(bytes.length);
    };
    const sentence = /^\S+model\.safetensors is not a whole safetensors file: [^\n\r]*\.$/;
    await fuzz(inputs, read, (error) => error instanceof Error && sentence.test(error.message));
  },
  timeout,
);
