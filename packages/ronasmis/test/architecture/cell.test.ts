import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Cell,
  cellSchema,
  looseEnds,
  operationNames,
  operations,
  type Term,
} from '../../src/architecture/cell.ts';

const of = (input: number): Term => ({ operation: 'identity', input });
const cellOf = (...inputs: readonly (readonly [number, number])[]): Cell =>
  inputs.map(([first, second]) => [of(first), of(second)] as const);

test('the loose ends are the nodes that no other takes in', () => {
  expect(looseEnds(cellOf([0, 0], [0, 0], [0, 0]))).toEqual([1, 2, 3]);
  expect(looseEnds(cellOf([0, 0], [1, 0], [0, 0]))).toEqual([2, 3]);
  expect(looseEnds(cellOf([0, 0], [1, 1], [2, 1]))).toEqual([3]);
});

test('the last node is always one', () => {
  const input = (node: number) => fc.tuple(fc.nat(node), fc.nat(node));
  fc.assert(
    fc.property(input(0), input(1), input(2), (...inputs) => {
      const ends = looseEnds(cellOf(...inputs));
      expect(ends).toContain(3);
      expect(ends.includes(1)).toBe(!inputs.flat().includes(1));
      expect(ends.includes(2)).toBe(!inputs.flat().includes(2));
    }),
  );
});

test('a cell is read only with three nodes, known operations and earlier inputs', () => {
  const cell = cellOf([0, 0], [1, 0], [2, 1]);
  expect(cellSchema.parse(cell)).toEqual(cell);
  expect(() => cellSchema.parse(cell.slice(1))).toThrow();
  expect(() => cellSchema.parse(cellOf([0, 1], [0, 0], [0, 0]))).toThrow(/earlier nodes only/);
  expect(() => cellSchema.parse(cellOf([0, -1], [0, 0], [0, 0]))).toThrow();
  expect(() => cellSchema.parse([[{ operation: 'sum', input: 0 }, of(0)], ...cell.slice(1)])).toThrow();
});

test('every operation has a name in the list, and those of 3x3x3 voxels look around', () => {
  expect([...operationNames].sort()).toEqual(Object.keys(operations).sort());
  for (const name of operationNames)
    expect(operations[name].looksAround, name).toBe(/3x3x3/.test(operations[name].name));
});
