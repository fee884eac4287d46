import { describe, expect, it } from 'vitest';
import { inTurns, runSeries, type Series, withEnergy } from '../../src/compare/series.ts';
import type { Progress } from '../../src/run/progress.ts';
import type { SearchHooks } from '../../src/search/search.ts';

const start: Parameters<NonNullable<SearchHooks['onStart']>>[0] = {
  isSearch: true,
  engine: { libtorch: '2.15.0', device: 'cpu', precision: 'fp32', threads: 1, cpu: 'a processor' },
  memory: { budgetBytes: 2, expectedBytes: 1 },
  warnings: [],
};

type Named = { readonly name: string };

/** Four runs of ten seconds, of which the second has finished; each tells that it has begun and that three seconds are left. */
function series(change: Partial<Series<Named>> = {}): Series<Named> {
  return {
    planned: ['a', 'b', 'c', 'd'].map((name) => ({ name })),
    isOpen: ({ name }) => name !== 'b',
    eachSeconds: 10,
    earlier: 0,
    later: { runs: 2, seconds: 5 },
    run: async (_, hooks) => {
      hooks.onStart?.(start);
      hooks.onProgress?.({ phase: 'train', step: 1, done: 1, total: 2, secondsLeft: 3 });
    },
    ...change,
  };
}

describe('runs one after the other', () => {
  it('pass over those that have finished, and count them', async () => {
    const places: string[] = [];
    await runSeries(series({ onRun: ({ run, number, total }) => void places.push(`${run} ${number}/${total}`) }), {});
    expect(places).toEqual(['a 1/6', 'c 3/6', 'd 4/6']);
    places.length = 0;
    await runSeries(
      series({ earlier: 3, onRun: ({ run, number, total }) => void places.push(`${run} ${number}/${total}`) }),
      {},
    );
    expect(places).toEqual(['a 4/9', 'c 6/9', 'd 7/9']);
  });

  it('tell the time left of all, and the start of the first alone', async () => {
    const left: (number | undefined)[] = [];
    let starts = 0;
    const hooks = {
      onStart: () => void starts++,
      onProgress: ({ secondsLeft }: Progress) => void left.push(secondsLeft),
    };
    await runSeries(series(), hooks);
    // Three of the run, ten of each that follows and five of what comes later.
    expect(left).toEqual([3 + 20 + 5, 3 + 10 + 5, 3 + 5]);
    expect(starts).toBe(1);
    await runSeries(series({ eachSeconds: Number.NaN, earlier: 1 }), hooks);
    expect(left.slice(3)).toEqual([undefined, undefined, undefined]);
    expect(starts).toBe(1);
  });

  it('begin none once they are to stop', async () => {
    const controller = new AbortController();
    const begun: string[] = [];
    const stopping = series({
      run: async ({ name }) => {
        begun.push(name);
        controller.abort();
      },
    });
    await expect(runSeries(stopping, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(begun).toEqual(['a']);
  });
});

it('a few runs go on at once: how far things are is told of the first, and the time left is shared', async () => {
  const ended: (() => void)[] = [];
  const begun: string[] = [];
  const left: (number | undefined)[] = [];
  const all = runSeries(
    series({
      atOnce: 2,
      run: (planned, hooks) => {
        begun.push(planned.name);
        hooks.onProgress?.({ phase: 'train', step: 1, done: 1, total: 2, secondsLeft: 3 });
        return new Promise((resolve) => void ended.push(resolve));
      },
    }),
    { onProgress: ({ secondsLeft }) => void left.push(secondsLeft) },
  );
  expect(begun).toEqual(['a', 'c']);
  // Of the first, with two to follow (one has begun since) and five seconds of what comes later, both shared by two.
  expect(left).toEqual([3 + (20 + 5) / 2]);
  ended[1]();
  await new Promise(setImmediate);
  expect(begun).toEqual(['a', 'c', 'd']);
  expect(left).toHaveLength(1);
  for (const end of ended) end();
  await all;
});

it('the energy of a run is unknown while it goes on, and noted at the end, whatever that is', async () => {
  const record = { engine: { device: 'cpu' } as const, joules: { killed: null } };
  const written: (number | null)[][] = [];
  const measured = (name: string, isBegun: boolean, work: () => Promise<string>) =>
    withEnergy(record, { name, isBegun, write: async () => void written.push(Object.values(record.joules)) }, work);
  expect(await measured('killed', true, async () => 'done')).toBe('done');
  // What a kill has left unknown stays so.
  expect(record.joules.killed).toBeNull();
  const failing = measured('failing', false, () => Promise.reject(new Error('full')));
  await expect(failing).rejects.toThrow('full');
  expect(Object.keys(record.joules)).toEqual(['killed', 'failing']);
  expect(written).toHaveLength(4);
  expect(written[2]).toEqual([null, null]);
});

it('each round begins with another contestant', () => {
  expect(inTurns(['a', 'b', 'c'], 4).map((round) => round.join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
});
