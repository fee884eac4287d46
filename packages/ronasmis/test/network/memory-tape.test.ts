import { expect, test } from 'vitest';
import { elements, type MemoryTape, openTape } from '../../src/network/memory-tape.ts';

/** 100 elements of one byte. */
const shape = [1, 1, 1, 10, 10] as const;
const apply = (tape: MemoryTape, input: ReturnType<MemoryTape['input']>, more = {}) =>
  tape.apply({ inputs: [input], shape, bytes: 1, ...more });

test('elements are the product of the extents', () => {
  expect(elements([2, 3, 4])).toBe(24);
});

test('without a way back a scope leaves nothing but its result', () => {
  const tape = openTape(false);
  const input = tape.input(shape, 1);
  const chain = () => tape.scope(() => apply(tape, apply(tape, input)));
  chain();
  // The input, a result on its way, and the scope's.
  expect(tape.peakBytes()).toBe(300);
  chain();
  // The first result is alive beside it.
  expect(tape.peakBytes()).toBe(400);
});

test('work space counts while an operation runs, and not afterwards', () => {
  const tape = openTape(false);
  const input = tape.input(shape, 1);
  const first = apply(tape, input, { forwardBytes: 50 });
  expect(tape.peakBytes()).toBe(250);
  apply(tape, first);
  expect(tape.peakBytes()).toBe(300);
});

test('what the way back needs stays beyond its scope', () => {
  const peakOf = (keeps: boolean): number => {
    const tape = openTape(true);
    const input = tape.input(shape, 1);
    const result = tape.scope(() => {
      const inner = apply(tape, input);
      return apply(tape, inner, keeps ? { keeps: [inner] } : {});
    });
    apply(tape, result, { forwardBytes: 1000 });
    return tape.peakBytes();
  };
  // The input, the scope's result, the last one and its work space; and what is kept.
  expect([peakOf(false), peakOf(true)]).toEqual([1300, 1400]);
});

test('the way back takes a gradient for every result, frees what it has used, and leaves the gradients of the weights', () => {
  const tape = openTape(true);
  const input = tape.input(shape, 1);
  const middle = apply(tape, input, { keeps: [input], weightBytes: 7 });
  const logits = apply(tape, middle, { keeps: [middle], weightBytes: 5, backwardBytes: 30 });
  expect(tape.peakBytes()).toBe(300);
  tape.backward([logits]);
  // The logits are freed once they have their gradient: the input and the middle, gradients of logits and of the middle, 5 and 30 bytes.
  expect(tape.peakBytes()).toBe(435);
  expect(apply(openAfter(tape), tape.input(shape, 1)).shape).toEqual(shape);

  function openAfter(used: MemoryTape): MemoryTape {
    // All but the 12 bytes of weights' gradients is free again: as much as before has to be taken for a new peak.
    used.input([1, 1, 1, 1, 435 - 12], 1);
    expect(used.peakBytes()).toBe(435);
    used.input([1, 1, 1, 1, 1], 1);
    expect(used.peakBytes()).toBe(436);
    return used;
  }
});

test('a gradient that is passed on takes no memory of its own, and one that nobody else holds is added to in place', () => {
  const peakOf = (passedFrom: number): number => {
    const tape = openTape(true);
    const input = tape.input(shape, 1);
    const made = apply(tape, input, { keeps: [input] });
    const sum = tape.apply({ inputs: [made, made], shape, bytes: 1, passedFrom });
    tape.backward([sum]);
    return tape.peakBytes();
  };
  // The input, what was made, the sum; on the way back the input is left, with the gradient of the sum, and those of both where they are apart.
  expect([peakOf(0), peakOf(2)]).toEqual([300, 400]);
});

test('a part of a larger gradient is not added to: the sum has memory of its own, of the size of what it belongs to', () => {
  const tape = openTape(true);
  const made = apply(tape, apply(tape, tape.input(shape, 1)), { backwardBytes: 1000 });
  const joined = tape.apply({ inputs: [made, made], shape: [1, 2, 1, 10, 10], bytes: 1, passedFrom: 0 });
  tape.backward([joined]);
  // The sum, what comes back from it, and its work space.
  expect(tape.peakBytes()).toBe(1200);
});
