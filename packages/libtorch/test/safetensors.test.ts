import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import {
  type DataType,
  memory,
  permute,
  readSafetensors,
  type Tensor,
  tensor,
  to,
  writeSafetensors,
} from '../src/index.ts';
import { waveLeaf } from './wave.ts';

/** Written by Python's safetensors 0.8.0: reference/safetensors_file.py. */
const fromPython = fileURLToPath(new URL('reference/python.safetensors', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file.safetensors');

/** A file of these bytes: the header's length, the header, the data. */
function file(header: string, data: Uint8Array = new Uint8Array(0), length = Buffer.byteLength(header)): string {
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(length));
  return bytes(Buffer.concat([first, Buffer.from(header), data]));
}

function bytes(content: Uint8Array): string {
  writeFileSync(path, content);
  return path;
}

const values = [0, 1, -2, 3.5, -0.25, 100];
const whole = [0, 1, -2, 3, 0, 100];
const expected: Record<string, readonly number[]> = {
  float32: values,
  float64: values,
  bfloat16: values,
  float16: values,
  int64: whole,
  int32: whole,
  int16: whole,
  uint8: [0, 1, 2, 3, 0, 100],
  bool: [0, 1, 0, 1, 0, 1],
};

describe('files of Python', () => {
  test('are read with every data type', async () => {
    const { tensors, metadata } = await readSafetensors(fromPython);
    expect(metadata).toEqual({ made: 'by Python', é: 'ü' });
    for (const [name, numbers] of Object.entries(expected)) {
      const found = tensors.get(name);
      expect([found?.dataType, found?.shape]).toEqual([name, [2, 3]]);
      expect(found && to(found, { dataType: 'float64' }).toNumbers()).toEqual(numbers);
    }
    expect(tensors.get('scalar')?.shape).toEqual([]);
    expect(tensors.get('scalar')?.item()).toBe(7);
    expect(tensors.get('empty')?.shape).toEqual([0, 3]);
    expect(tensors.size).toBe(11);
  });

  test('are written again byte for byte', async () => {
    const { tensors, metadata } = await readSafetensors(fromPython);
    await writeSafetensors(path, new Map([...tensors].reverse()), { made: metadata.made, é: metadata.é });
    const [ours, theirs] = [readFileSync(path), readFileSync(fromPython)];
    const dataStart = 8 + Number(theirs.readBigUInt64LE());
    // The reference implementation writes metadata in any order, so headers are compared as JSON.
    expect(JSON.parse(ours.subarray(8, dataStart).toString())).toEqual(
      JSON.parse(theirs.subarray(8, dataStart).toString()),
    );
    expect(ours.subarray(dataStart)).toEqual(theirs.subarray(dataStart));
  });
});

describe('writing', () => {
  test('any shape and type comes back', async () => {
    const dataTypes = fc.constantFrom<DataType>(
      'float32',
      'float64',
      'bfloat16',
      'float16',
      'int64',
      'int32',
      'uint8',
      'bool',
    );
    const shapes = fc.array(fc.nat({ max: 3 }), { maxLength: 5 });
    const named = fc.dictionary(
      fc.string().filter((name) => name !== '__metadata__'),
      fc.record({ dataType: dataTypes, shape: shapes }),
    );
    await fc.assert(
      fc.asyncProperty(named, async (described) => {
        const made = new Map(
          Object.entries(described).map(([name, { dataType, shape }], i): [string, Tensor] => {
            const length = shape.reduce((product, size) => product * size, 1);
            return [
              name,
              to(
                tensor(
                  Float32Array.from({ length }, (_, j) => i + j),
                  shape,
                ),
                { dataType },
              ),
            ];
          }),
        );
        await writeSafetensors(path, made);
        const { tensors } = await readSafetensors(path);
        expect(new Set(tensors.keys())).toEqual(new Set(made.keys()));
        for (const [name, value] of made) {
          const found = tensors.get(name);
          expect([found?.dataType, found?.shape]).toEqual([value.dataType, value.shape]);
          expect(found && to(found, { dataType: 'float32' }).toArray()).toEqual(
            to(value, { dataType: 'float32' }).toArray(),
          );
        }
      }),
      { numRuns: 50 },
    );
  });

  test('views, weights and what is freed right after', async () => {
    const turned = permute(tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]), [1, 0]);
    const weight = to(waveLeaf([2], 0), { dataType: 'bfloat16' });
    const numbers = to(weight, { dataType: 'float32' }).toNumbers();
    const writing = writeSafetensors(
      path,
      new Map([
        ['turned', turned],
        ['weight', weight],
      ]),
    );
    turned.free();
    weight.free();
    await writing;
    const { tensors } = await readSafetensors(path);
    expect(tensors.get('turned')?.toNumbers()).toEqual([1, 4, 2, 5, 3, 6]);
    expect(to(tensors.get('weight') ?? turned, { dataType: 'float32' }).toNumbers()).toEqual(numbers);
  });

  test('replaces a file whole or leaves it as it was', async () => {
    await writeSafetensors(path, new Map([['a', tensor(Float32Array.of(1), [1])]]));
    const freed = tensor(Float32Array.of(1), [1]);
    freed.free();
    await expect(writeSafetensors(path, new Map([['a', freed]]))).rejects.toThrow('was freed');
    await expect(writeSafetensors(join(folder, 'none', 'x'), new Map())).rejects.toThrow('ENOENT');
    await expect(writeSafetensors(path, new Map([['__metadata__', freed]]))).rejects.toThrow('keeps that name');
    expect((await readSafetensors(path)).tensors.get('a')?.toNumbers()).toEqual([1]);
    expect(readdirSync(folder)).toEqual(['file.safetensors']);
  });
});

describe('damaged files', () => {
  const entry = (fields: object) =>
    JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields } });
  const eight = new Uint8Array(8);
  const damaged: Record<string, [() => string, string]> = {
    'shorter than its first number': [() => bytes(Buffer.from('abc')), 'it has 3 bytes'],
    'a header longer than the file': [
      () => file('{}', eight, 2 ** 40),
      'its header is said to have 1099511627776 bytes',
    ],
    'a header that is not JSON': [() => file('{a}'), 'its header is not JSON'],
    'a header that is a list': [() => file('[]'), 'its header is not a JSON object'],
    'an unknown data type': [
      () => file(entry({ dtype: 'F8_E4M3' }), eight),
      `the data type "F8_E4M3" of 'a' is not known`,
    ],
    'no shape': [() => file(entry({ shape: null }), eight), "the shape of 'a' is not a list of counts"],
    'a negative size': [() => file(entry({ shape: [-2] }), eight), "the shape of 'a' is not a list of counts"],
    'a shape that overflows': [
      () => file(entry({ shape: [2 ** 40, 2 ** 40] }), eight),
      "'a' takes 8 bytes, but its shape needs",
    ],
    'three offsets': [() => file(entry({ data_offsets: [0, 4, 8] }), eight), "the place of 'a' is not a pair"],
    'offsets outside the file': [() => file(entry({ data_offsets: [8, 16] }), eight), "the data of 'a' does not begin"],
    'less data than it says': [
      () => file(entry({}), eight.subarray(1)),
      'its tensors take 8 bytes, but 7 stand behind',
    ],
    'more data than it says': [
      () => file(entry({}), new Uint8Array(9)),
      'its tensors take 8 bytes, but 9 stand behind',
    ],
    'overlapping tensors': [
      () =>
        file(
          `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
          eight,
        ),
      "the data of 'b' does not begin where that before it ends",
    ],
    'metadata that is not text': [() => file('{"__metadata__":{"a":1}}'), "its metadata 'a' is not a text"],
  };
  test.each(Object.entries(damaged))('%s', async (_, [write, message]) => {
    const before = memory().tensors;
    const reading = readSafetensors(write());
    await expect(reading).rejects.toThrow(`${path} is not a whole safetensors file: ${message}`);
    expect(memory().tensors).toBe(before);
  });

  test('any damage to a good file is read or refused with a sentence that names it', async () => {
    const good = readFileSync(fromPython);
    const damage = fc.record({
      at: fc.nat({ max: good.length - 1 }),
      byte: fc.nat({ max: 255 }),
      length: fc.oneof(fc.constant(good.length), fc.nat({ max: good.length })),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, byte, length }) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        writeFileSync(path, bytes.subarray(0, length));
        const outcome = await readSafetensors(path).catch((error: Error) => error.message);
        if (typeof outcome === 'string') expect(outcome).toContain(`${path} is not a whole safetensors file: `);
        else for (const found of outcome.tensors.values()) expect(found.byteLength).toBeLessThan(good.length);
      }),
      { numRuns: 300 },
    );
  });

  test('a file that is not there is not called damaged', async () => {
    await expect(readSafetensors(join(folder, 'absent'))).rejects.toThrow('ENOENT');
  });
});

test('a disk that can not be asked to hold what was written takes it all the same, and one that fails does not', async () => {
  const handle = await open(folder);
  const FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const sync = vi.spyOn(FileHandle, 'sync');
  const refuse = (code: string) => sync.mockRejectedValue(Object.assign(new Error(code), { code }));
  const written = join(folder, 'unsynced.safetensors');
  refuse('EINVAL');
  await writeSafetensors(written, new Map([['a', tensor(Float32Array.of(1, 2), [2])]]));
  expect((await readSafetensors(written)).tensors.get('a')?.toNumbers()).toEqual([1, 2]);
  refuse('EIO');
  await expect(writeSafetensors(written, new Map())).rejects.toThrow('EIO');
  sync.mockRestore();
});
