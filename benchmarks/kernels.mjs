// The fused kernels against libtorch's own operations: `node benchmarks/kernels.mjs` after `npm run build`. One thread; the two take turns,
// so that a change of the machine's clock meets both. Medians, in milliseconds, forward and backward.
import {
  add,
  addInPlace,
  argmax,
  argmaxLabels,
  bincount,
  clone,
  confusionMatrix,
  flatten,
  multiply,
  multiplyScalar,
  noGradient,
  randn,
  scope,
  setThreads,
  sumAll,
  tensor,
  to,
  upsampleAndAdd,
  upsampleTrilinear3d,
} from '@ronasmis/libtorch';
import { composedLoss, segmentationLoss } from '../packages/ronasmis/dist/network/loss.js';

const rounds = 31;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const random = (shape, dataType = 'float32') =>
  noGradient(() => scope(() => to(randn(shape), dataType, null, null, null, false, true, 'channels_last_3d')));

function timed(body) {
  const started = performance.now();
  const result = body();
  return [performance.now() - started, result];
}

/** Milliseconds of `operation` on leaves, and of its way back from a gradient that is there. */
function once(operation, leaves, upstream) {
  return scope(() => {
    for (const leaf of leaves) {
      leaf.requiresGradient = true;
      leaf.clearGradient();
    }
    const [forward, output] = timed(() => operation(...leaves));
    if (!upstream) return [forward, timed(() => output.backward())[0]];
    const scalar = sumAll(multiply(output, upstream));
    const [backward] = timed(() => scalar.backward());
    // What the sum and the product take of that.
    const stand = noGradient(() => clone(output));
    stand.requiresGradient = true;
    const alone = sumAll(multiply(stand, upstream));
    return [forward, backward - timed(() => alone.backward())[0]];
  });
}

function compare(name, fused, composed, leaves, upstream) {
  const found = { fused: [], composed: [] };
  for (let round = 0; round < rounds + 3; round += 1) {
    for (const [key, operation] of Object.entries({ fused, composed })) {
      const times = once(operation, leaves, upstream);
      if (round >= 3) found[key].push(times);
    }
  }
  const show = (times) => [0, 1].map((part) => median(times.map((pair) => pair[part])).toFixed(2)).join(' / ');
  const ratio = [0, 1].map((part) => {
    const [ours, theirs] = [found.fused, found.composed].map((times) => median(times.map((pair) => pair[part])));
    return (theirs / ours).toFixed(1);
  });
  console.log(`${name}: fused ${show(found.fused)}, libtorch ${show(found.composed)}; ratio ${ratio.join(' / ')}`);
}

setThreads(1);

const upsamplings = [
  [4, 16, 20, 28, 20],
  [4, 32, 10, 14, 10],
  [4, 64, 5, 7, 5],
];
for (const shape of upsamplings) {
  for (const dataType of ['float32', 'bfloat16']) {
    const size = shape.slice(2).map((extent) => 2 * extent);
    const whole = [shape[0], shape[1], ...size];
    const [volume, addend, upstream] = [random(shape, dataType), random(whole, dataType), random(whole, dataType)];
    compare(
      `upsampling by 2 and a sum, ${dataType} [${shape}]`,
      (x, y) => upsampleAndAdd(x, [2, 2, 2], size, [y]),
      (x, y) => add(upsampleTrilinear3d(x, size, false), y),
      [volume, addend],
      upstream,
    );
  }
}

for (const [classes, size] of [
  [2, [40, 56, 40]],
  [3, [40, 56, 40]],
  [5, [40, 56, 40]],
  [3, [20, 28, 20]],
]) {
  const voxels = 4 * size[0] * size[1] * size[2];
  const label = tensor(
    Uint8Array.from({ length: voxels }, (_, i) => (i * 7) % classes),
    [4, ...size],
  );
  const level = (logits) => [{ logits, stride: [1, 1, 1], weight: 1 }];
  const logits = random([4, classes, ...size]);
  compare(
    `loss, float32 [${logits.shape}]`,
    (x) => segmentationLoss(level(x), label),
    (x) => composedLoss(level(x), label),
    [logits],
  );
}

/** As `compare`, of what no gradient goes through. */
function compareForward(name, operations) {
  const found = { fused: [], composed: [] };
  for (let round = 0; round < rounds + 3; round += 1) {
    for (const [key, operation] of Object.entries(operations)) {
      const [time] = noGradient(() => scope(() => timed(operation).slice(0, 1)));
      if (round >= 3) found[key].push(time);
    }
  }
  const [ours, theirs] = [found.fused, found.composed].map(median);
  console.log(`${name}: fused ${ours.toFixed(3)}, libtorch ${theirs.toFixed(3)}; ratio ${(theirs / ours).toFixed(1)}`);
}

for (const dataType of ['float32', 'bfloat16']) {
  const logits = random([4, 3, 40, 56, 40], dataType);
  compareForward(`argmax, ${dataType} [${logits.shape}]`, {
    fused: () => argmaxLabels(logits),
    composed: () => argmax(logits, 1),
  });
}
const [prediction, label] = [5, 7].map((step) =>
  tensor(
    Uint8Array.from({ length: 4 * 40 * 56 * 40 }, (_, i) => (i * step) % 3),
    [4, 40, 56, 40],
  ),
);
const [widePrediction, wideLabel] = noGradient(() => [prediction, label].map((labels) => to(labels, 'int64')));
compareForward('confusion matrix [4,40,56,40]', {
  fused: () => confusionMatrix(prediction, label, 3),
  composed: () => {
    const pairs = multiplyScalar(wideLabel, 3);
    addInPlace(pairs, widePrediction);
    return bincount(flatten(pairs), null, 9);
  },
});
