// Training steps for some seconds, in a process of its own, for OpenMP reads its environment once: prints the median of their seconds.
import { networkDimensions } from 'ronasmis/internal';
import { median } from './statistics.ts';
import { madeUpBatch, openTraining, type Size } from './training.ts';

const seconds = Number(process.argv[2]);
const patch: Size = [32, 40, 32];
const dimensions = networkDimensions(1, 3);
const training = openTraining(patch, dimensions);
const child = { ...training.context.space.base, patch: { depth: patch[0], height: patch[1], width: patch[2] } };
const batch = madeUpBatch(dimensions, 2, patch);
training.step(child, batch); // makes the kernels for these shapes
const taken: number[] = [];
const until = performance.now() + 1000 * seconds;
while (taken.length < 3 || performance.now() < until) taken.push(training.step(child, batch));
console.log(median(taken));
