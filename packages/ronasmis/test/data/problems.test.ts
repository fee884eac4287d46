import { expect, it } from 'vitest';
import { problem } from '../../src/data/problem.ts';
import { oneLineAKind } from '../../src/data/problems.ts';

const kind = { several: 'are odd', fix: 'Look at them.' };
const odd = (file: string, what: string, distance: number) =>
  problem('warning', file, `it is odd (${what}).`, { ...kind, what, distance });

it('cases that have the same are counted and named once each, however often they have it', () => {
  const found = [odd('/d/a.nii', 'by 1', 1), odd('/d/b.nii', 'by 2', 2), odd('/d/a.nii', 'by 3', 3)];
  const [line, ...others] = oneLineAKind(found, '/d', 6);
  expect(others).toEqual([]);
  expect(line.message).toBe('/d: 2 of 6 cases are odd: a (by 3 and by 1), b (by 2). Look at them.');
  expect(line.cases).toEqual([
    { file: '/d/a.nii', what: 'by 3 and by 1' },
    { file: '/d/b.nii', what: 'by 2' },
  ]);
});

it('one case that has it twice has a line for each', () => {
  const found = [odd('/d/a.nii', 'by 1', 1), odd('/d/a.nii', 'by 3', 3)];
  const messages = oneLineAKind(found, '/d', 6).map(({ message }) => message);
  expect(messages).toEqual(['/d/a.nii: it is odd (by 1).', '/d/a.nii: it is odd (by 3).']);
});

it("files of the same name are told apart by their patients' folders", () => {
  const [{ message }] = oneLineAKind([odd('/d/P1/i.nii', 'by 1', 1), odd('/d/P2/i.nii', 'by 2', 2)], '/d', 6);
  expect(message).toBe('/d: 2 of 6 cases are odd: P2 (by 2), P1 (by 1). Look at them.');
});
