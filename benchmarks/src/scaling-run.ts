// One size, in a process of its own so that its peak memory is its own: prints what scaling.ts reads.
import { noGradient, peakMemoryBytes, scope } from '@ronasmis/libtorch';
import {
  costOf,
  createWeights,
  dataTypeOf,
  networkDimensions,
  networkOf,
  networkWeights,
  segment,
  toImage,
} from 'ronasmis/internal';
import { timed } from './rounds.ts';
import { median } from './statistics.ts';
import { madeUpBatch, openTraining, type Size } from './training.ts';

const [kind, side, width] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
/** Small sizes are repeated for about this long. */
const enoughSeconds = 1;

const standard = networkDimensions(1, 3);
const channels = standard.channels.map((count) => (count * width) / standard.channels[0]);
const dimensions = { ...standard, channels };
const size: Size = [side, side, side];
const training = openTraining([32, 32, 32], dimensions);
const child = { ...training.context.space.base, patch: { depth: side, height: side, width: side } };
const network = networkOf(child, dimensions);
const batch = madeUpBatch(dimensions, 1, size);

/** The whole volume in one pass, as `predict` does it. */
function openPrediction(): () => number {
  const dataType = dataTypeOf[training.context.precision];
  const created = createWeights(network.parameters, 'cpu', 1);
  const weights = noGradient(() => networkWeights(network, created, dataType));
  return () =>
    timed(() =>
      scope(() => {
        segment(network, weights, toImage(batch.image, [1, 1, ...size], 'cpu', dataType));
      }),
    );
}

const repeat = kind === 'predict' ? openPrediction() : (): number => training.step(child, batch);
// What is made once, such as the optimiser's moments, is not the volume's.
if (kind === 'train') training.step(child, madeUpBatch(dimensions, 1, [16, 16, 16]));
const before = process.memoryUsage.rss();
repeat(); // makes the kernels for these shapes
const seconds: number[] = [];
while (seconds.length < 3 || (seconds.length < 7 && seconds.reduce((sum, value) => sum + value) < enoughSeconds)) {
  seconds.push(repeat());
}
const memory = peakMemoryBytes('cpu') - before;
const multiplyAdds = costOf(network).multiplyAdds * side ** 3;
console.log(JSON.stringify({ seconds: median(seconds), bytes: memory, multiplyAdds }));
