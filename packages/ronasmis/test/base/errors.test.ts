import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  allErrors,
  codeOf,
  isLoadError,
  outcomeOf,
  reasonOf,
  some,
  sortOutcomes,
  UserError,
} from '../../src/base/errors.ts';

const missing = (): unknown => {
  try {
    return readFileSync('/nowhere/at/all');
  } catch (error) {
    return error;
  }
};

test('of many sentences ten are said, and how many more there are', () => {
  const sentences = Array.from({ length: 12 }, (_, i) => `${i}.`);
  expect(allErrors(sentences.slice(0, 10)).message.split('\n')).toEqual(sentences.slice(0, 10));
  expect(allErrors(sentences).message.split('\n')).toEqual([...sentences.slice(0, 10), '(and 2 more errors)']);
});

test('of many names five', () => {
  expect(some(['a', 'b'])).toBe('a, b');
  expect(some([...'abcdefg'])).toBe('a, b, c, d, e and 2 more');
});

test('what the user can fix does not end the work on the others; a defect does', async () => {
  const outcomes = await Promise.all([
    outcomeOf(async () => 1),
    outcomeOf(async (): Promise<number> => {
      throw new UserError('a.nii: it is damaged.');
    }),
    outcomeOf(async () => 3),
  ]);
  expect(sortOutcomes(outcomes)).toEqual({ results: [1, 3], problems: ['a.nii: it is damaged.'] });
  await expect(outcomeOf(() => Promise.reject(new TypeError('a defect')))).rejects.toThrow(TypeError);
});

test('the system says its reason and its code', () => {
  expect(codeOf(missing())).toBe('ENOENT');
  expect(reasonOf(missing())).toMatch(/^no such file or directory/);
  expect([codeOf('text'), codeOf(new Error('none')), reasonOf('text')]).toEqual(['', '', 'text']);
});

test('libtorch that could not be loaded is told by its code', () => {
  expect(isLoadError(Object.assign(new Error('x'), { code: 'LIBTORCH_NOT_LOADED' }))).toBe(true);
  expect(isLoadError(missing())).toBe(false);
});
