import { expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/base/errors.ts';
import { parseJson, quoted } from '../../src/base/json.ts';

const schema = z.object({ folds: z.int(), names: z.array(z.string()) });
const parse = (text: string) => parseJson(text, schema, (problems) => new UserError(problems.join('\n')));

test('a text is checked, and all that is wrong in it is said with its place', () => {
  expect(parse('{"folds": 5, "names": ["a"]}')).toEqual({ folds: 5, names: ['a'] });
  expect(() => parse('{"folds": 5')).toThrow(/^this is not valid JSON: /);
  expect(() => parse('{"folds": 1.5, "names": [1]}')).toThrow(/^at folds: .*\nat names\.0: /);
  expect(() => parse('[]')).toThrow(/^at the top: /);
});

test('what is quoted is on one line, without control characters, and not long', () => {
  expect(quoted('a\n\tb\u0007c')).toBe('a b c');
  expect(quoted('x'.repeat(400))).toBe(`${'x'.repeat(300)}...`);
});
