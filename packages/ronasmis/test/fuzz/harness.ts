import fc from 'fast-check';
import { expect } from 'vitest';
import { UserError } from '../../src/errors.ts';

/** Every test of this folder goes on for so long where it is asked to; else it tries a few hundred inputs. */
const seconds = Number(process.env.RONASMIS_FUZZ_SECONDS ?? 0);
const quickRuns = 400;
/** No input is larger than some kilobytes, so none may take more than this. */
const mostCpuSeconds = 5;
const mostBytes = 2 ** 26;

/** For a test that fuzzes, in milliseconds. */
export const timeout = 1000 * (seconds + 120);

/**
 * Hands inputs to a reader. Each must be read, or refused as the reader's documentation says, in little time and memory.
 * @param read reads an input; rejects where it is refused, or where something is wrong with what was read
 * @param isRefusal whether that is how the reader refuses
 */
export async function fuzz<Input>(
  inputs: fc.Arbitrary<Input>,
  read: (input: Input) => Promise<unknown>,
  isRefusal: (error: unknown) => boolean,
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

/** Numbers at the ends of what 8, 16, 32 and 64 bits hold, and what is no number, in both byte orders. */
const extremes: readonly Uint8Array[] = [
  [0x00],
  [0x7f],
  [0x80],
  [0xff],
  ...[0, 1, 0x7fff, 0x8000, 0xffff].map((value) => [value >> 8, value & 255]),
  ...[0, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 1].map(bytesOf(4)),
  ...[0, 1, 2 ** 32, 2 ** 40].map(bytesOf(8)),
  [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0, 0, 0, 0, 0],
  [0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
  [0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
].flatMap((bytes) => [Uint8Array.from(bytes), Uint8Array.from(bytes.toReversed())]);

/** A whole number's bytes, the highest first. */
function bytesOf(width: number): (value: number) => readonly number[] {
  return (value) => Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** (width - 1 - i)) % 256);
}

/**
 * Valid files with up to six things done to them: bits flipped, numbers set to extremes, parts cut off, removed, inserted and copied.
 * @param fields where numbers begin, which are changed more often than other bytes
 */
export function mutated(seeds: readonly Uint8Array[], fields: readonly number[] = [0]): fc.Arbitrary<Uint8Array> {
  const at = fc.oneof(fc.nat(), fc.constantFrom(...fields));
  const length = fc.nat({ max: 64 });
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }),
    fc.record({ kind: fc.constant('set' as const), at, bytes: fc.constantFrom(...extremes) }),
    fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ maxLength: 64 }) }),
    fc.record({ kind: fc.constant('cut' as const), at }),
    fc.record({ kind: fc.constant('remove' as const), at, length }),
    fc.record({ kind: fc.constant('copy' as const), at, from: fc.nat(), length }),
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
