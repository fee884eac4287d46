import { describe, expect, it, vi } from 'vitest';
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

describe('on a terminal', () => {
  /** What it shows last: what was written since its lines were last written over. */
  function lastShown(work: (view: ReturnType<typeof openProgress>) => void): string {
    const before = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    let shown = '';
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      shown += text;
      return true;
    });
    try {
      const view = openProgress();
      work(view);
      shown = '';
      view.say('a line above');
      const written = shown;
      view.stop();
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are the terminal's
      return written.replaceAll(/\u001b\[[\d;?]*\w/g, '');
    } finally {
      spy.mockRestore();
      if (before) Object.defineProperty(process.stderr, 'isTTY', before);
      else Reflect.deleteProperty(process.stderr, 'isTTY');
    }
  }
  const step = (reward: number, more: Partial<Progress> = {}) =>
    progress({
      phase: 'evaluate',
      done: 2,
      total: 2,
      reward,
      dice: reward + 0.1,
      baseDice: 0.5,
      coarse: false,
      ...more,
    });

  it('draws how far the phase is, and the reward of each step so far beside the best child and the base', () => {
    const shown = lastShown(({ update }) => {
      for (const reward of [0.1, 0.2, 0.8]) update(step(reward));
      update(progress({ step: 4, done: 1, total: 4, loss: 0.5, secondsLeft: 100 }));
    });
    expect(shown).toContain('a line above\n');
    expect(shown).toMatch(/Training, step 4 +━{24} 1\/4 · loss 0\.500 · 1 min 40 s left/);
    expect(shown).toMatch(/Reward by step +▁▂█ +reward 0\.8000 · best Dice 90\.00 % · the base 50\.00 %/);
  });

  it('begins the curve anew at the full resolution, and in the next run', () => {
    const fine = lastShown(({ update }) => {
      update(step(0.9, { coarse: true }));
      update(step(0.2));
      update(step(0.3));
    });
    expect(fine).toMatch(/Reward by step +▁█ /);
    const next = lastShown(({ update }) => {
      update(step(0.9));
      update(progress({ phase: 'prepare', step: 0, done: 1, total: 8 }));
    });
    expect(next).not.toContain('Reward');
  });
});
