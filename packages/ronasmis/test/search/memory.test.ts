import { join } from 'node:path';
import { empty, limitTensorBytes, peakTensorBytes, resetPeakTensorBytes } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { readRun } from '../../src/run/read-run.ts';
import { toDeviceBatches } from '../../src/search/device-batches.ts';
import { evaluateChildren } from '../../src/search/evaluating.ts';
import { type MemoryDemands, planSpace } from '../../src/search/memory.ts';
import { search } from '../../src/search/search.ts';
import { createSearchState } from '../../src/search/state.ts';
import { spaceNames } from '../../src/space/names.ts';
import { boxCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { walks } from '../space/walk.ts';
import { prepared } from './prepared-case.ts';
import { tinyContext } from './tiny-context.ts';

const mebibyte = 2 ** 20;
const options = {
  children: 2,
  controller: 'random',
  space: 'macro',
  augment: 'off',
  epochs: 1,
  folds: 3,
  fold: 0,
  device: 'cpu',
  precision: 'fp32',
  seed: 3,
} as const;

function demands(space: MemoryDemands['space'], volume: Triple): MemoryDemands {
  const names = ['a', 'b', 'c'];
  return {
    space,
    device: 'cpu',
    precision: 'fp32',
    recipe: defaultRecipe,
    volume,
    hasIgnored: false,
    inputChannels: 1,
    flatLevels: 0,
    unpooledLevels: 0,
    classes: 3,
    cases: names.map((name) => prepared(name, volume)),
    split: { training: ['a'], validation: ['b'], test: ['c'] },
  };
}

const volume: Triple = [64, 96, 96];

/** What a budget comes to; undefined where it is refused. */
function planned(bytes: number, volume: Triple) {
  try {
    const { space, dimensions, concessions } = planSpace(bytes, demands('macro', volume));
    const { depth, height, width } = space.base.patch;
    return {
      voxels: depth * height * width,
      width: dimensions.channels[0],
      concessions: concessions.join(),
    };
  } catch {
    return undefined;
  }
}

describe('a memory budget', () => {
  const anySpace = fc.constantFrom(...spaceNames);

  it('leaves children that fit, whatever the controller chooses, and the base child among them', () => {
    const property = fc.property(anySpace, fc.integer({ min: 560, max: 1400 }), fc.gen(), (space, mebibytes, gen) => {
      const plan = planSpace(mebibytes * mebibyte, demands(space, volume));
      const child = plan.space.decode(gen(() => walks(plan.space)));
      for (const one of [child, plan.space.base, plan.space.largest, plan.space.decode(plan.space.baseChoices)])
        expect(plan.bytesFor(one)).toBeLessThan(mebibytes * mebibyte);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it('leaves the whole space where there is plenty, and says nothing', () => {
    const plan = planSpace(64 * 1024 * mebibyte, demands('macro', volume));
    expect(plan.space.base.patch).toEqual({ depth: 64, height: 96, width: 96 });
    expect(plan.dimensions.channels).toEqual([16, 32, 64, 128, 128]);
    expect(plan.concessions).toEqual([]);
  });

  it.each([
    { volume, widths: [16, 8] },
    { volume: [8, 200, 200] as const, widths: [16, 8] },
  ])('gives up patch, then width, and says so: $volume', ({ volume, widths }) => {
    const budgets = Array.from({ length: 60 }, (_, step) => (1700 - 20 * step) * mebibyte);
    const made = budgets.flatMap((bytes) => planned(bytes, volume) ?? []);
    const order = made.map(({ width, voxels }) => -1e9 * width - voxels);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    for (const { voxels, width, concessions } of made) {
      expect(/patches have at most as many voxels as \d+ x \d+ x \d+/.test(concessions)).toBe(voxels < made[0].voxels);
      expect(/the network begins with [48] channels instead of 16/.test(concessions)).toBe(width < 16);
    }
    expect(made[0].concessions).toBe('');
    const found = new Set(made.map(({ width }) => width));
    expect([...found].slice(0, 2)).toEqual(widths);
  });

  it('counts a window of the patch where the recipe evaluates by these, in place of the largest scan', () => {
    const child = tinyContext.space.base;
    const bytesFor = (inference: typeof defaultRecipe.inference, scan: Triple): number => {
      const cases = ['a', 'b', 'c'].map((name) => prepared(name, scan));
      const recipe = { ...defaultRecipe, inference };
      const given = { ...demands('macro', [16, 16, 16]), cases, recipe, architecture: child };
      return planSpace(2 ** 36, given).bytesFor(child);
    };
    const scans: readonly Triple[] = [
      [64, 128, 128],
      [128, 128, 128],
    ];
    const [small, large] = scans.map((scan) => bytesFor(defaultRecipe.inference, scan));
    const [smallWindows, largeWindows] = scans.map((scan) => bytesFor(nnunetRecipe.inference, scan));
    // Of a voxel more: three prepared cases, one of them on the device too, and the sums and means of its logits.
    const perVoxel = (largeWindows - smallWindows) / (64 * 128 * 128);
    expect(perVoxel).toBeCloseTo(3 * 5 + 5 + 1.03 * 4 * (2 * 3 + 1), 6);
    expect((large - small) / (64 * 128 * 128)).toBeGreaterThan(150);
    expect(smallWindows).toBeLessThan(small);
  });

  it('that is too small is refused, with one that suffices', () => {
    const tooSmall = (): unknown => planSpace(300 * mebibyte, demands('macro', volume));
    const sentence =
      /^300 MiB of memory \(--memory, .*\) is too small: .* takes about \d+ MiB\. Give at least --memory (\d+)MiB\.$/;
    expect(tooSmall).toThrow(sentence);
    const sufficient = Number(sentence.exec(messageOf(tooSmall))?.[1]);
    expect(planned(sufficient * mebibyte, volume)).toBeDefined();
    expect(planned(0.9 * sufficient * mebibyte, volume)).toBeUndefined();
  });
});

function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return '';
}

describe.skipIf(process.platform !== 'linux')('where memory does not suffice after all', () => {
  afterEach(() => limitTensorBytes(Number.POSITIVE_INFINITY));

  it('a child is worth nothing and the others are evaluated', async () => {
    const context = { ...tinyContext, cases: [] };
    const { weights } = createSearchState(context, 'random', 1).trainer;
    const batches = toDeviceBatches(context, [prepared('a', [48, 64, 64])]);
    const patch = { depth: 8, height: 8, width: 8 };
    const children = [{ architecture: context.space.base }, { architecture: { ...context.space.base, patch } }];
    let evaluatedSoFar = 0;
    resetPeakTensorBytes('cpu');
    limitTensorBytes(peakTensorBytes('cpu') + mebibyte);
    const evaluated = await evaluateChildren({ context, weights, batches }, children, {
      between: async () => {
        evaluatedSoFar += 1;
      },
      meet: async () => {},
      mustStop: () => {
        limitTensorBytes(Number.POSITIVE_INFINITY);
        return false;
      },
    });
    expect(evaluatedSoFar).toBe(1);
    expect(evaluated[0]).toEqual({ ...children[0], reward: 0, scores: {}, cleaned: [], outOfMemory: true });
    expect(evaluated[1].outOfMemory).toBeUndefined();
  });
});

describe.skipIf(process.platform !== 'linux')('a search whose memory does not suffice for a while', () => {
  afterEach(() => limitTensorBytes(Number.POSITIVE_INFINITY));

  it('leaves those training steps out, says so, and ends with a result', async () => {
    const root = await temporaryFolder();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const cases = names.map((name, i) => boxCase(name, createRandom(i + 1), [16, 24, 24]));
    const dataSet = await writeDataSet(join(root, 'Boxes'), cases);
    const said: string[] = [];
    await search(
      { ...options, dataSet, out: join(root, 'run'), memoryBytes: 1024 * mebibyte },
      {
        // Nothing that is larger than 64 KiB can be made while the second training step runs.
        onProgress: ({ phase, done }) => {
          if (phase === 'train') limitTensorBytes(done === 1 ? 1 : 1024 * mebibyte);
        },
        onWarning: (sentence) => said.push(sentence),
      },
    );
    const { events, report } = await readRun(join(root, 'run'));
    expect(events.map(({ out_of_memory }) => out_of_memory)).toEqual([1]);
    expect(said).toEqual([
      expect.stringMatching(
        /^Memory did not suffice for 1 of the training steps .* of controller step 1, which were left out: /,
      ),
    ]);
    expect(events[0].loss).toBeGreaterThan(0);
    expect(report?.test_dice.mean).toBeGreaterThanOrEqual(0);
    // Its budget has ended with it.
    empty([2 ** 29]).free();
  });
});
