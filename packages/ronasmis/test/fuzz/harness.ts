import fc from 'fast-check';
import { expect } from 'vitest';
import { UserError } from '../../src/base/errors.ts';

/** Every test of this folder goes on for so long where it is asked to; else it tries some inputs. */
const seconds = Number(process.env.RONASMIS_FUZZ_SECONDS ?? 0);
/** No input is larger than some kilobytes, so none may take more than this. */
const mostCpuSeconds = 5;
const mostBytes = 2 ** 26;

/** For a test that fuzzes, in milliseconds. */
export const timeout = 1000 * (seconds + 120);

/**
 * Hands inputs to a reader. Each must be read, or refused as the reader's documentation says, in little time and memory.
 * @param read reads an input; rejects where it is refused, or where something is wrong with what was read
 * @param isRefusal whether that is how the reader refuses
 * @param quickRuns inputs where no time is asked for
 */
export async function fuzz<Input>(
  inputs: fc.Arbitrary<Input>,
  read: (input: Input) => Promise<unknown>,
  isRefusal: (error: unknown) => boolean,
  quickRuns = 1000,
): Promise<void> {
  const count = { read: 0, refused: 0 };
  const property = fc.asyncProperty(inputs, async (input) => {
    const [cpu, { arrayBuffers }] = [process.cpuUsage(), process.memoryUsage()];
    try {
      await read(input);
      count.read += 1;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      count.refused += 1;
    }
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1e6).toBeLessThan(mostCpuSeconds);
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(mostBytes);
  });
  const long = { numRuns: 2 ** 31 - 1, interruptAfterTimeLimit: 1000 * seconds, markInterruptAsFailure: false };
  await fc.assert(property, seconds > 0 ? long : { numRuns: quickRuns });
  if (seconds > 0) console.info(`${count.read} inputs were read and ${count.refused} refused in ${seconds} s.`);
  // A reader that refuses everything, or nothing, was not tested.
  expect(Math.min(count.read, count.refused)).toBeGreaterThan(0);
}

/** Whether it is a UserError whose sentences, a line each, name something in this folder. */
export const userErrorNaming =
  (folder: string) =>
  (error: unknown): boolean =>
    error instanceof UserError &&
    error.message
      .split('\n')
      .every((line) => (line.includes(folder) && line.endsWith('.')) || /^\(and \d+ more errors\)$/.test(line));

/** What is done to a file; places are counted modulo its length. */
type Edit =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set' | 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number; readonly length: number };

/** Where a number stands in a file, in bytes. */
export interface Field {
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
}

/** Numbers at the ends of what so many bytes hold, some between, and what is no number. */
const extremes: Readonly<Record<Field['width'], readonly string[]>> = {
  1: ['00', '01', '7f', '80', 'ff'],
  2: ['0000', '0001', '0400', '4000', '7fff', '8000', 'ffff'],
  // As floating point numbers, from the sixth on: 1, the largest, infinite ones and none.
  4: [
    '00000000',
    '00000001',
    '00100000',
    '7fffffff',
    'ffffffff',
    '3f800000',
    '7f7fffff',
    '7f800000',
    'ff800000',
    '7fc00000',
  ],
  8: [
    ...['0000000000000000', '0000000000000001', '0000000001000000', '0000010000000000', '7fffffffffffffff'],
    ...['ffffffffffffffff', '3ff0000000000000', '7fefffffffffffff', '7ff0000000000000', '7ff8000000000000'],
  ],
};

/** In either byte order. */
function extremeBytes(width: Field['width']): fc.Arbitrary<Uint8Array> {
  const bytes = extremes[width].map((digits) => Buffer.from(digits, 'hex'));
  return fc.constantFrom(...bytes, ...bytes.map((one) => Buffer.from(one.toReversed())));
}

/**
 * Valid files with up to six things done to them: bits flipped, numbers set to extremes, parts cut off, removed, inserted and copied.
 * @param fields the numbers in the files, which are set more often than other bytes
 */
export function mutated(seeds: readonly Uint8Array[], fields: readonly Field[] = []): fc.Arbitrary<Uint8Array> {
  const [at, length] = [fc.nat(), fc.nat({ max: 64 })];
  const kind = <Kind extends Edit['kind']>(name: Kind) => fc.constant(name);
  const sets = fields.map((field) =>
    fc.record({ kind: kind('set'), at: fc.constant(field.at), bytes: extremeBytes(field.width) }),
  );
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    ...(sets.length === 0 ? [] : [{ arbitrary: fc.oneof(...sets), weight: 5 }]),
    fc.record({ kind: kind('flip'), at, bit: fc.nat({ max: 7 }) }),
    fc.record({ kind: kind('set'), at, bytes: extremeBytes(1) }),
    fc.record({ kind: kind('insert'), at, bytes: fc.uint8Array({ maxLength: 64 }) }),
    fc.record({ kind: kind('cut'), at }),
    fc.record({ kind: kind('remove'), at, length }),
    fc.record({ kind: kind('copy'), at, from: fc.nat(), length }),
  );
  const edits = fc.array(edit, { maxLength: 6 });
  return fc.tuple(fc.constantFrom(...seeds), edits).map(([seed, all]) => all.reduce(edited, seed));
}

function edited(bytes: Uint8Array, edit: Edit): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = edit.at % bytes.length;
  const copy = Uint8Array.from(bytes);
  switch (edit.kind) {
    case 'flip':
      copy[at] ^= 1 << edit.bit;
      return copy;
    case 'set':
      copy.set(edit.bytes.subarray(0, copy.length - at), at);
      return copy;
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), edit.bytes, bytes.subarray(at)]);
    case 'cut':
      return copy.subarray(0, at);
    case 'remove':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit.length)]);
    case 'copy': {
      const from = edit.from % bytes.length;
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + edit.length), bytes.subarray(at)]);
    }
  }
}
