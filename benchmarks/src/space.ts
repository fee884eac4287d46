import { type Architecture, createRandom, drawChild } from 'ronasmis';
import { batchShape, costOf, networkDimensions, networkOf } from 'ronasmis/internal';
import { type Bench, say } from './bench.ts';
import { type Row, timeRow } from './row.ts';
import { mean, median } from './statistics.ts';
import { madeUpBatch, openTraining, sizeOf } from './training.ts';

const many = { alone: 100, amongAll: 60 };
/** The base child is measured again after so many others: the machine's clock changes. */
const group = 10;

/** Whether the children of the search space take the time that their multiply-adds say, as a search trains them. */
export async function space({ whole }: Bench): Promise<readonly Row[]> {
  const children = whole ? many.amongAll : many.alone;
  const dimensions = networkDimensions(1, 3);
  const { context, step } = openTraining([40, 56, 40], dimensions);
  const perVoxel = (child: Architecture): number => costOf(networkOf(child, dimensions)).multiplyAdds;
  /** Seconds for each multiply-add of the second step: in the first, the kernels for new shapes are made. */
  const perMultiplyAdd = (child: Architecture): number => {
    const { patches } = batchShape(context, child);
    const batch = madeUpBatch(dimensions, patches, sizeOf(child));
    step(child, batch);
    return step(child, batch) / (perVoxel(child) * batch.label.length);
  };
  const { base } = context.space;
  const random = createRandom(1);
  const ours: number[] = [];
  const bases: number[] = [];
  for (let done = 0; done < children; done += 1) {
    if (done % group === 0) {
      bases.push(perMultiplyAdd(base));
      say(`space: ${done} of ${children} children`);
    }
    ours.push(perMultiplyAdd(context.space.decode(drawChild(context.space, 0, random))));
  }
  const [depth, height, width] = sizeOf(base);
  const multiplyAdds = perVoxel(base) * batchShape(context, base).patches * depth * height * width;
  const times = { ours: mean(ours) * multiplyAdds, theirs: median(bases) * multiplyAdds };
  const name = `training step, mean of ${children} random children, scaled to the base child's multiply-adds`;
  return [timeRow(name, 'the base child', times, { atMost: 1.25 })];
}
