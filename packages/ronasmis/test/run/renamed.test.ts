import { expect, test } from 'vitest';
import { z } from 'zod';
import { withOldNames } from '../../src/run/renamed.ts';

const schema = withOldNames(z.object({ step: z.int(), evaluation_seconds: z.number() }));

test('a record of an earlier version is read by its new names', () => {
  expect(schema.parse({ step: 1, judging_seconds: 2.5 })).toEqual({ step: 1, evaluation_seconds: 2.5 });
  expect(schema.parse({ step: 1, evaluation_seconds: 2.5 })).toEqual({ step: 1, evaluation_seconds: 2.5 });
});

test('what is no record, or lacks both names, is refused as ever', () => {
  for (const damaged of [null, 7, 'text', [], { step: 1 }]) expect(schema.safeParse(damaged).success).toBe(false);
});
