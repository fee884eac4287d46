import { expect, it, vi } from 'vitest';
import { openProgress } from '../../src/cli/progress.ts';
import type { Progress } from '../../src/run/progress.ts';

/** What a view writes where standard error is no terminal. */
function lines(work: (view: ReturnType<typeof openProgress>) => void): readonly string[] {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    const view = openProgress();
    work(view);
    view.stop();
    return written.join('').split('\n').slice(0, -1);
  } finally {
    spy.mockRestore();
  }
}

const progress = (given: Partial<Progress>): Progress => ({ phase: 'train', step: 1, done: 1, total: 2, ...given });

it('says on no terminal when scans are read and test cases predicted, and a line a controller step', () => {
  const written = lines(({ update }) => {
    update(progress({ phase: 'prepare', step: 0, done: 1, total: 8 }));
    update(progress({ phase: 'prepare', step: 0, done: 2, total: 8 }));
    update(progress({ phase: 'train', secondsLeft: 100 }));
    update(progress({ phase: 'evaluate', done: 1, total: 2 }));
    update(
      progress({
        phase: 'evaluate',
        done: 2,
        total: 2,
        loss: 0.5,
        reward: 0.25,
        entropy: null,
        dice: 0.5,
        coarse: true,
      }),
    );
    update(progress({ phase: 'final', done: 1, total: 3 }));
    update(progress({ phase: 'final', done: 2, total: 3 }));
  });
  expect(written).toHaveLength(3);
  expect(written[0]).toMatch(/\(8\)$/);
  expect(written[1]).toMatch(
    /^step 1: loss 0\.500, reward 0\.2500, best Dice 50\.00 % at half (the )?resolution, 1 min 40 s left$/,
  );
  expect(written[2]).toMatch(/\(3\)$/);
});

it('forgets what a run said when the next one reads its scans', () => {
  const done = { phase: 'evaluate', done: 2, total: 2 } as const;
  const written = lines(({ update }) => {
    update(progress({ ...done, loss: 0.5, reward: 0.25, dice: 0.5 }));
    update(progress({ phase: 'prepare', step: 0, done: 1, total: 8 }));
    update(progress({ ...done, loss: 1.5 }));
  });
  expect(written.at(-1)).toBe('step 1: loss 1.500');
});

it('says other lines as they come', () => {
  expect(lines(({ say }) => ['one', 'other'].forEach(say))).toEqual(['one', 'other']);
});
