import { expect, test } from 'vitest';
import { joinedNote } from '../../src/report/run-words.ts';
import { unet } from '../architecture/unet.ts';
import { macroChild } from '../export/models.ts';

test('what stands beside a network is said, and what each of both weighs where it is not the half', () => {
  const joined = (share?: number) => ({
    ...macroChild,
    coarse: { downsampling: [1, 2, 2], network: macroChild, fine_share: share } as const,
  });
  expect(joinedNote(joined(0.25))).toMatch(
    /; the logits are 0\.25 of its own and 0\.75 of that one's, as the validation cases have it best\.$/,
  );
  for (const even of [joined(0.5), joined()]) expect(joinedNote(even)).toMatch(/; the logits are the mean of both\.$/);
  for (const alone of [macroChild, unet]) expect(joinedNote(alone)).toBe('');
});
