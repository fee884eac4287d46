import { memory, tensor } from '@ronasmis/libtorch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { Triple } from '../../src/base/geometry.ts';
import { createRandom } from '../../src/base/random.ts';
import { readDataSet } from '../../src/data/dataset.ts';
import { IGNORED_CLASS } from '../../src/data/description.ts';
import { toImage, toLabel } from '../../src/engine/to-device.ts';
import { dicePerClass } from '../../src/evaluation/dice.ts';
import { patientMean } from '../../src/evaluation/summary.ts';
import { readNifti } from '../../src/formats/nifti.ts';
import { unturned } from '../../src/formats/orientation.ts';
import { segment } from '../../src/inference/segment.ts';
import { networkOf } from '../../src/network/of-architecture.ts';
import { removeSmallComponents } from '../../src/preparation/components.ts';
import { imageOf, type PreparedCase, prepareDataSet } from '../../src/preparation/prepare.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { scoredClasses } from '../../src/search/context.ts';
import { type DeviceBatch, freeBatches, toDeviceBatches, toOwnGridBatch } from '../../src/search/device-batches.ts';
import { type Evaluator, evaluate, evaluateChildren, evaluatedTwin } from '../../src/search/evaluating.ts';
import { boxCase, straight, type TestCase, temporaryFolder, writeDataSet } from '../formats/scans.ts';
import { spaceWeights } from '../network/peer.ts';
import { tinyContext } from './tiny-context.ts';

const { dimensions, space, labelValues } = tinyContext;
const network = networkOf(space.base, dimensions);
const weights = spaceWeights('macro', dimensions, 4);
const shape = [9, 11, 16] as const;
const voxels = shape[0] * shape[1] * shape[2];
const nothing = async () => {};
const childrenOf = (architectures: readonly ChildArchitecture[]) =>
  architectures.map((architecture) => ({ architecture }));
const folder = await temporaryFolder();

interface Scan {
  readonly evaluated: DeviceBatch;
  /** Class indices. */
  readonly label: Uint8Array;
}

/** An image of noise and a label of the classes below `classes`. */
function randomScan(seed: number, classes: number, outsideCrop: readonly number[]): Scan {
  const random = createRandom(seed);
  const image = Float32Array.from({ length: voxels }, () => 4 * random.uniform() - 2);
  const label = Uint8Array.from({ length: voxels }, () => random.integer(classes));
  const evaluated = {
    cases: [{ name: `scan ${seed}`, outsideCrop }],
    image: toImage(image, [1, 1, ...shape], 'cpu', 'float32'),
    label: toLabel(label, [1, ...shape], 'cpu'),
  };
  return { evaluated, label };
}

/** With all components. */
const scoresAsTheyAre = async (evaluator: Evaluator, child: ChildArchitecture, between: () => Promise<void>) =>
  (await evaluate(evaluator, child, between, [])).scores;

const valuesOf = (indices: ArrayLike<number>) => Array.from(indices, (index) => labelValues[index]);
const predictionOf = ({ evaluated }: Scan) => valuesOf(segment(network, weights, evaluated.image).toNumbers());

it('scores by label value as the evaluation does, for any label', async () => {
  const property = fc.asyncProperty(fc.nat(), fc.constantFrom(1, 2, 3), async (seed, classes) => {
    const scan = randomScan(seed, classes, [0, 0, 0]);
    const [scores] = Object.values(
      await scoresAsTheyAre({ context: tinyContext, weights, batches: [scan.evaluated] }, space.base, nothing),
    );
    expect(scores).toEqual(dicePerClass(predictionOf(scan), valuesOf(scan.label), [2, 5]));
  });
  await fc.assert(property, { numRuns: 15 });
});

it('segments by windows of the patch where the recipe says so, by half of it where volumes are downsampled', async () => {
  const scan = randomScan(5, 3, [0, 0, 0]);
  const context = { ...tinyContext, recipe: { ...defaultRecipe, inference: nnunetRecipe.inference } };
  for (const [downsampling, tile] of [
    [
      [1, 1, 1],
      [16, 16, 16],
    ],
    [
      [1, 2, 2],
      [16, 8, 8],
    ],
  ] as const) {
    const batches = [{ ...scan.evaluated, downsampling }];
    const [scores] = Object.values(await scoresAsTheyAre({ context, weights, batches }, space.base, nothing));
    const predicted = segment(network, weights, scan.evaluated.image, { tile, inference: nnunetRecipe.inference });
    expect(scores).toEqual(dicePerClass(valuesOf(predicted.toNumbers()), valuesOf(scan.label), [2, 5]));
    expect(scores).not.toEqual(dicePerClass(predictionOf(scan), valuesOf(scan.label), [2, 5]));
  }
});

describe('small components', () => {
  const scans = [1, 2, 3].map((seed) => randomScan(seed, 3, [0, 0, 20]));
  const evaluator = { context: tinyContext, weights, batches: scans.map(({ evaluated }) => evaluated) };
  /** By cutting predictions, not by counting what is cut. */
  const cutScores = (cleaned: readonly number[]) =>
    scans.map((scan) => {
      const classes = Uint8Array.from(segment(network, weights, scan.evaluated.image).toNumbers());
      const beyond = new Array<number>(20);
      const predicted = [...valuesOf(removeSmallComponents(classes, shape, cleaned)), ...beyond.fill(0)];
      return dicePerClass(predicted, [...valuesOf(scan.label), ...beyond.fill(5)], [2, 5]);
    });

  it.each([[[]], [[1]], [[2]], [[1, 2]]])('are not scored of classes %j', async (given) => {
    const { scores, cleaned } = await evaluate(evaluator, space.base, nothing, given);
    expect(Object.values(scores)).toEqual(cutScores(given));
    expect(cleaned).toEqual(given);
  });

  it('are removed of the classes whose Dice is no worse so, where the recipe has it', async () => {
    const diceOf = (cleaned: readonly number[]) => patientMean(cutScores(cleaned)) ?? 0;
    const better = [1, 2].filter((index) => diceOf([index]) >= diceOf([]));
    expect((await evaluate(evaluator, space.base, nothing)).cleaned).toEqual(better);
    const inference = { ...defaultRecipe.inference, removes_small_components: false };
    const never = { ...tinyContext, recipe: { ...defaultRecipe, inference } };
    expect((await evaluate({ ...evaluator, context: never }, space.base, nothing)).cleaned).toEqual([]);
  });
});

it('scores regions as labels that were joined, and nothing where voxels are ignored', async () => {
  const scored = [
    { name: 'both', classes: [1, 2] },
    { name: 'second', classes: [2] },
  ];
  const property = fc.asyncProperty(fc.nat(), async (seed) => {
    const scan = randomScan(seed, 3, [0, 0, 0]);
    const random = createRandom(seed);
    const label = scan.label.map((index) => (random.integer(3) === 0 ? IGNORED_CLASS : index));
    const evaluated = { ...scan.evaluated, label: toLabel(label, [1, ...shape], 'cpu') };
    const context = { ...tinyContext, scored, ignoredValue: 9 };
    const [scores] = Object.values(
      await scoresAsTheyAre({ context, weights, batches: [evaluated] }, space.base, nothing),
    );
    const kept = Array.from(label.keys()).filter((voxel) => label[voxel] !== IGNORED_CLASS);
    const predicted = segment(network, weights, scan.evaluated.image).toNumbers();
    const pick = (values: ArrayLike<number>, of: (index: number) => number) => kept.map((voxel) => of(values[voxel]));
    const dice = (of: (index: number) => number) => dicePerClass(pick(predicted, of), pick(label, of), [1])[1];
    expect(scores).toEqual({
      both: dice((index) => Math.min(1, index)),
      second: dice((index) => Number(index === 2)),
    });
  });
  await fc.assert(property, { numRuns: 10 });
});

it('counts labelled voxels that the crop left out as missed', async () => {
  const outside = [0, 40, 300];
  const scan = randomScan(7, 3, outside);
  const [scores] = Object.values(
    await scoresAsTheyAre({ context: tinyContext, weights, batches: [scan.evaluated] }, space.base, nothing),
  );
  const beyond = outside.flatMap((count, index) => Array.from({ length: count }, () => labelValues[index]));
  const [prediction, label] = [predictionOf(scan), valuesOf(scan.label)];
  const whole = dicePerClass([...prediction, ...beyond.map(() => 0)], [...label, ...beyond], [2, 5]);
  expect(scores).toEqual(whole);
  expect(scores).not.toEqual(dicePerClass(prediction, label, [2, 5]));
});

it('is 1 for a label that the network would draw itself, and null for a class in neither', async () => {
  const scan = randomScan(8, 3, [0, 0, 0]);
  // Without features there is nothing but the bias to choose by: the second class everywhere.
  const biased = new Map(weights);
  biased.set('head.0', tensor(new Float32Array(6), [3, 2, 1, 1, 1]));
  biased.set('head.0.bias', tensor(Float32Array.of(0, 1, 0), [3]));
  const label = toLabel(new Uint8Array(voxels).fill(1), [1, ...shape], 'cpu');
  expect(
    await scoresAsTheyAre(
      { context: tinyContext, weights: biased, batches: [{ ...scan.evaluated, label }] },
      space.base,
      nothing,
    ),
  ).toEqual({
    'scan 8': { 2: 1, 5: null },
  });
});

it('rewards nothing where a child finds nothing and nothing is to be found', async () => {
  const scan = randomScan(8, 3, [0, 0, 0]);
  const blind = new Map(weights);
  blind.set('head.0', tensor(new Float32Array(6), [3, 2, 1, 1, 1]));
  blind.set('head.0.bias', tensor(Float32Array.of(1, 0, 0), [3]));
  const empty = { ...scan.evaluated, label: toLabel(new Uint8Array(voxels), [1, ...shape], 'cpu') };
  const hooks = { between: nothing, meet: nothing, mustStop: () => false };
  const [evaluated] = await evaluateChildren(
    { context: tinyContext, weights: blind, batches: [empty] },
    childrenOf([space.base]),
    hooks,
  );
  expect([evaluated.reward, evaluated.scores]).toEqual([0, { 'scan 8': { 2: null, 5: null } }]);
});

describe('small cases of one shape', () => {
  const prepared = (name: string, size: Triple, outsideCrop: readonly number[]): PreparedCase => {
    const random = createRandom(name.length);
    const count = size[0] * size[1] * size[2];
    const image = Float32Array.from({ length: count }, () => 4 * random.uniform() - 2);
    const label = Uint8Array.from({ length: count }, () => random.integer(3));
    const crop = { offset: [0, 0, 0], shape: size, scanShape: size } as const;
    const storage = { kind: 'memory', image, label } as const;
    return {
      name,
      labelFile: '',
      labelTurn: unturned,
      storage,
      crop,
      shape: size,
      spacing: [1, 1, 1],
      channels: 1,
      labelled: [1],
      lost: [],
      scattered: [],
      foreground: new Uint32Array(),
      classForeground: [],
      outsideCrop,
      scanSpacing: [1, 1, 1],
    };
  };
  const namesOf = (batches: readonly DeviceBatch[]) => batches.map(({ cases }) => cases.map(({ name }) => name));

  it('are segmented together, with the scores that each has by itself', async () => {
    const cases = [
      prepared('a', [9, 11, 16], [0, 0, 0]),
      prepared('bb', [8, 8, 8], [0, 5, 0]),
      prepared('ccc', [9, 11, 16], [0, 40, 300]),
    ];
    const batches = toDeviceBatches(tinyContext, cases);
    expect(namesOf(batches)).toEqual([['a', 'ccc'], ['bb']]);
    const alone = cases.map((one) =>
      scoresAsTheyAre(
        { context: tinyContext, weights, batches: toDeviceBatches(tinyContext, [one]) },
        space.base,
        nothing,
      ),
    );
    const together = await scoresAsTheyAre({ context: tinyContext, weights, batches: batches }, space.base, nothing);
    expect(together).toEqual(Object.assign({}, ...(await Promise.all(alone))));
    expect(new Set(Object.values(together).map((scores) => JSON.stringify(scores))).size).toBe(3);
  });

  it('are no more at once than fit, and large ones stay alone', () => {
    const sized = (size: Triple, count: number) =>
      Array.from({ length: count }, (_, index) => prepared('x'.repeat(index + 1), size, [0, 0, 0]));
    const small = namesOf(toDeviceBatches(tinyContext, sized([64, 64, 32], 3)));
    expect(small.map((names) => names.length)).toEqual([2, 1]);
    const large = namesOf(toDeviceBatches(tinyContext, sized([65, 64, 64], 2)));
    expect(large.map((names) => names.length)).toEqual([1, 1]);
  });

  it('are freed', () => {
    const before = memory().tensors;
    freeBatches(toDeviceBatches(tinyContext, [prepared('a', [8, 8, 8], []), prepared('bb', [8, 8, 8], [])]));
    expect(memory().tensors).toBe(before);
  });
});

describe('a case that was resampled', () => {
  it("is compared with its file's label, on the scan's own grid", async () => {
    const random = createRandom(3);
    const sized = (name: string, z: number): TestCase => {
      const { image, label } = boxCase(name, random, [8, 8, z === 1 ? 12 : 6]);
      const affine = straight(1, 1, z);
      return { name, image: { ...image, affine }, label: { ...label, affine } };
    };
    await writeDataSet(folder, [sized('a', 1), sized('b', 1), sized('c', 2)], {
      labels: { 0: 'background', 1: 'box', 2: 'core' },
    });
    const dataSet = await readDataSet(folder);
    const { cases } = await prepareDataSet(dataSet, { folds: 3, cacheFolder: folder });
    const context = { ...tinyContext, cases, labelValues: [0, 1, 2], scored: scoredClasses(dataSet) };
    const [, same, resampled] = cases;
    expect([same.shape, resampled.shape]).toEqual([
      [12, 8, 8],
      [12, 8, 8],
    ]);
    const scores = await scoresAsTheyAre(
      { context, weights, batches: [await toOwnGridBatch(context, resampled)] },
      space.base,
      nothing,
    );
    const image = toImage(imageOf(resampled), [1, 1, ...resampled.shape], 'cpu', 'float32');
    const prediction = segment(network, weights, image, { size: [6, 8, 8] }).toNumbers();
    const { data } = await readNifti(resampled.labelFile);
    expect(scores).toEqual({ c: dicePerClass(prediction, data, [1, 2]) });
    const [usual, own] = [toDeviceBatches(context, [same]), [await toOwnGridBatch(context, same)]];
    expect(await scoresAsTheyAre({ context, weights, batches: own }, space.base, nothing)).toEqual(
      await scoresAsTheyAre({ context, weights, batches: usual }, space.base, nothing),
    );
  });
});

it('evaluates a child once that was proposed twice, and rewards it twice', async () => {
  const cases = [randomScan(1, 3, [0, 0, 0]).evaluated];
  let passes = 0;
  const count = async (): Promise<void> => {
    passes += 1;
  };
  const children = [space.base, space.largest, structuredClone(space.base)];
  const evaluated = await evaluateChildren({ context: tinyContext, weights, batches: cases }, childrenOf(children), {
    between: count,
    meet: nothing,
    mustStop: () => false,
  });
  expect(passes).toBe(2);
  expect(evaluated.map(({ architecture }) => architecture)).toEqual(children);
  expect(evaluated[2]).toEqual(evaluated[0]);
  expect(evaluatedTwin(evaluated, { architecture: structuredClone(space.largest) })).toBe(evaluated[1]);
  expect(evaluatedTwin(evaluated.slice(0, 1), { architecture: space.largest })).toBeUndefined();
});

it("rewards every child with its cases' patient-wise mean and gives others a turn after each case", async () => {
  const cases = [1, 2].map((seed) => randomScan(seed, 3, [0, 0, 0]).evaluated);
  const turns: [number, number][] = [];
  const children = [space.base, space.largest];
  const evaluated = await evaluateChildren({ context: tinyContext, weights, batches: cases }, childrenOf(children), {
    between: async (done, total) => {
      turns.push([done, total]);
    },
    meet: nothing,
    mustStop: () => false,
  });
  expect(evaluated.map(({ architecture }) => architecture)).toEqual(children);
  for (const { architecture, reward, scores } of evaluated) {
    expect((await evaluate({ context: tinyContext, weights, batches: cases }, architecture, nothing)).scores).toEqual(
      scores,
    );
    expect(reward).toBe(patientMean(Object.values(scores)));
  }
  expect(turns).toEqual([
    [0, 2],
    [0, 2],
    [1, 2],
    [1, 2],
  ]);
});

it('evaluates the first child and no other where the time is over', async () => {
  const cases = [randomScan(1, 3, [0, 0, 0]).evaluated];
  const children = [space.base, space.largest];
  const evaluated = await evaluateChildren({ context: tinyContext, weights, batches: cases }, childrenOf(children), {
    between: nothing,
    meet: nothing,
    mustStop: () => true,
  });
  expect(evaluated.map(({ architecture }) => architecture)).toEqual([space.base]);
});
