import { join } from 'node:path';
import { noGradient, scope } from '@ronasmis/libtorch';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { createRandom } from '../../src/base/random.ts';
import { fillBatch } from '../../src/batches/fill-batch.ts';
import { samplePlan } from '../../src/batches/sample.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { writePhantomDataSet } from '../../src/data/phantom.ts';
import { forward } from '../../src/network/forward.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { type PreparedCase, prepareDataSet } from '../../src/preparation/prepare.ts';
import { createSearchState } from '../../src/search/state.ts';
import { type MacroSpace, macroSpace } from '../../src/space/macro.ts';
import { decisions, table1 } from '../../src/space/table1.ts';
import { chirp, expectDigest } from '../chirp.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { tinyContext } from '../search/tiny-context.ts';
import { trainOnce } from '../training/train-once.ts';
import { chirpWeights, narrow, reference, trainedNames } from './peer.ts';

/** The base child of a space with one choice changed, for every decision and every other option; of `patchSizes` a patch axis. */
function oneChanged({ baseChoices, decode }: MacroSpace, patchSizes: number) {
  return decisions.flatMap(({ choice, section, from, options }, at) => {
    const [where, source] = [section.part === 'network' ? '' : `${section.part} ${section.level} `, from ?? ''];
    const isPatch = choice === 'patch_depth' || choice === 'patch_plane';
    return Array.from({ length: isPatch ? patchSizes : options }, (_, option) => option)
      .filter((option) => option !== baseChoices[at])
      .map((option) => ({
        name: `${where}${choice} ${source}${source === '' ? '' : ' '}${table1[choice].options[option]}`,
        child: decode(baseChoices.map((chosen, place) => (place === at ? option : chosen))),
      }));
  });
}

describe('a choice, changed alone', () => {
  const space = macroSpace([32, 64, 64], narrow);
  const changes = oneChanged(space, 1);
  const weights = chirpWeights(narrow);
  const image = chirp([1, 2, 32, 64, 64], 1);
  const finest = (child: ChildArchitecture) => forward(networkOf(child, narrow), weights, image)[0];

  test.each(changes)('$name makes the network that it makes in PyTorch, not the base', ({ name, child }) => {
    noGradient(() =>
      scope(() => {
        const logits = finest(child);
        expectDigest(logits, reference.choices[name], 1e-4);
        expect(() => expectDigest(logits, reference.choices.base, 1e-3)).toThrow();
      }),
    );
  });

  test('is one of all that Table 1 lists', () => {
    expect(changes.map(({ name }) => name).sort()).toEqual(
      Object.keys(reference.choices)
        .filter((name) => name !== 'base')
        .sort(),
    );
    // Two other dilations and activations at each of nine levels, another stride of two kinds at four, 16 skips.
    expect(changes).toHaveLength(9 * 4 + 4 * 2 + 16);
    noGradient(() => scope(() => expectDigest(finest(space.base), reference.choices.base, 1e-4)));
  });
});

describe('a child with one choice changed', async () => {
  const folder = join(await temporaryFolder(), 'Phantom');
  const cases: PreparedCase[] = [];
  beforeAll(async () => {
    await writePhantomDataSet(folder, { cases: 2, seed: 1 });
    const prepared = await prepareDataSet(await readDataSet(folder), { folds: 2, cacheFolder: join(folder, 'cache') });
    cases.push(...prepared.cases);
  });

  const dimensions = { inputChannels: 2, classes: 4, channels: [2, 3, 4, 4, 4], flatLevels: 0 };
  const space = macroSpace([40, 40, 40], dimensions);
  const context = { ...tinyContext, dimensions, space };
  const batchFor = ({ patch }: ChildArchitecture) => {
    const plan = samplePlan(createRandom(1), cases, [0], {
      patch: [patch.depth, patch.height, patch.width],
      augment: false,
    });
    const voxels = patch.depth * patch.height * patch.width;
    const arrays = { image: new Float32Array(2 * voxels), label: new Uint8Array(voxels) };
    fillBatch(cases, plan, arrays);
    return { ...arrays, plan };
  };

  test.each(oneChanged(space, 2))('$name trains: its loss falls, and the weights on its way move', ({ child }) => {
    const state = createSearchState(context, 'reinforce', 1);
    state.random = { ...state.random, uniform: () => 1 };
    const before = valuesOf(state.trainer.weights);
    const batch = batchFor(child);
    const losses = Array.from({ length: 4 }, () => trainOnce(context, state, child, batch));
    expect(losses[3]).toBeLessThan(0.99 * losses[0]);
    const after = valuesOf(state.trainer.weights);
    const moved = [...after.keys()].filter((name) => String(after.get(name)) !== String(before.get(name)));
    const network = networkOf(child, dimensions);
    const onItsWay = [...trainedNames(network), ...network.parameters.flatMap(({ taps }) => taps ?? [])];
    expect(moved.sort()).toEqual(onItsWay.sort());
  });
});

function valuesOf(weights: Weights): ReadonlyMap<string, readonly number[]> {
  return new Map([...weights].map(([name, weight]) => [name, weight.toNumbers()]));
}
