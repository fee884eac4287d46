import { describe, expect, it, vi } from 'vitest';
import { Exit } from '../../src/cli/exit.ts';
import { interruptible } from '../../src/cli/interrupt.ts';

/** Runs work with Ctrl-C watched; gives what came of it, and what was said on standard error. */
async function outcome(work: (signal: AbortSignal) => Promise<unknown>) {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    const result = await interruptible('Go on with: it.', work).catch((error: unknown) => error);
    return { result, said: said.join('') };
  } finally {
    spy.mockRestore();
  }
}

describe('interruptible', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s asks the work to stop, and says how to go on', async (name) => {
    const { result, said } = await outcome(async (signal) => {
      process.emit(name);
      signal.throwIfAborted();
    });
    expect(result).toBeInstanceOf(Exit);
    expect(result).toMatchObject({ code: 130 });
    expect(said).toMatch(/Press Ctrl-C again to quit at once\.\nStopped\. Go on with: it\.\n$/);
  });

  it('gives what the work gives where nobody interrupts it, and leaves no listener behind', async () => {
    const before = process.listenerCount('SIGINT');
    expect(await outcome(async () => 7)).toEqual({ result: 7, said: '' });
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('passes on what goes wrong while it stops', async () => {
    const { result } = await outcome(async () => {
      process.emit('SIGINT');
      throw new RangeError('a defect');
    });
    expect(result).toBeInstanceOf(RangeError);
  });

  it('ends at once the second time', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('ended');
    });
    try {
      const { result } = await outcome(async () => {
        process.emit('SIGINT');
        process.emit('SIGINT');
      });
      expect(result).toMatchObject({ message: 'ended' });
      expect(exit).toHaveBeenCalledWith(130);
    } finally {
      exit.mockRestore();
    }
  });
});
