// One rank of two: prints what ranks.ts reads.
import { joinRanks, zerosLike } from '@ronasmis/libtorch';
import { networkDimensions, networkOf, rankOf, trainedWeights } from 'ronasmis/internal';
import { timed } from './rounds.ts';
import { median } from './statistics.ts';
import { fastest, madeUpBatch, openTraining, type Size } from './training.ts';

const rounds = 5;
const [inputChannels, classes, flatLevels, depth, height, width] = process.argv.slice(2).map(Number);
const size: Size = [depth, height, width];
const dimensions = networkDimensions(inputChannels, classes, flatLevels);
const rank = rankOf(process.env);
if (rank === null) throw new Error('This is started by ranks.ts.');
const ranks = joinRanks({ ...rank, meetingSeconds: 60, exchangeSeconds: 600 });
const { context, trainer, step } = openTraining(size, dimensions, fastest);
const child = { ...context.space.base, patch: { depth, height, width } };
const trained = trainedWeights(networkOf(child, dimensions), trainer.weights);
const bytes = trained.reduce((sum, { byteLength }) => sum + byteLength, 0);
const batch = madeUpBatch(dimensions, 1, size);

const [steps, exchanges, together]: [number[], number[], number[]] = [[], [], []];
for (let round = 0; round <= rounds; round += 1) {
  const stepSeconds = step(child, batch);
  // The step has cleared them.
  for (const one of trained) one.gradient = zerosLike(one);
  // Who is ready first waits, but that is not the exchange.
  ranks.barrier();
  const exchangeSeconds = timed(() => ranks.averageGradients(trained, () => {}));
  ranks.barrier();
  const togetherSeconds = timed(() => ranks.averageGradients(trained, () => step(child, batch)));
  // The first round makes the kernels for these shapes.
  if (round === 0) continue;
  steps.push(stepSeconds);
  exchanges.push(exchangeSeconds);
  together.push(togetherSeconds);
}
ranks.leave();
console.log(JSON.stringify({ step: median(steps), exchange: median(exchanges), together: median(together), bytes }));
