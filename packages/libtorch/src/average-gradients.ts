import { concatenate, foreachCopy, multiplyInPlace, narrow, reshape, zerosLike } from './operations.ts';
import type { Ranks } from './ranks.ts';
import { scope, type Tensor, tensor } from './tensor.ts';

/** As PyTorch's DistributedDataParallel: large enough for a network's latency not to count, small beside what a step takes. */
const defaultBucketBytes = 25 * 2 ** 20;

/**
 * Gives each of these tensors, on every rank, the mean over the ranks of its gradients; one without a gradient on a rank counts as 0 there,
 * and one without any is left without. So the ranks take the same step, to the bit, where they have the same weights and the same optimiser.
 *
 * The gradients go bucket by bucket, in the order of the list, as one flat tensor of `bucketBytes` at most (or of one larger gradient),
 * which is what this takes beside them. To be called by all ranks, with tensors of the same shapes and data types in the same order.
 * Throws as {@link Ranks} does; the gradients are then half of them means.
 */
export function averageGradients(
  ranks: Ranks,
  tensors: readonly Tensor[],
  { bucketBytes = defaultBucketBytes }: { readonly bucketBytes?: number } = {},
): void {
  scope(() => {
    const anywhere = withGradient(ranks, tensors);
    const gradients = tensors.flatMap((parameter, i) => (anywhere[i] ? [gradientOf(parameter)] : []));
    for (const bucket of bucketsOf(gradients, bucketBytes)) scope(() => average(ranks, bucket));
  });
}

/** Which of the tensors have a gradient on any rank. */
function withGradient(ranks: Ranks, tensors: readonly Tensor[]): readonly boolean[] {
  const counts = tensor(
    Int32Array.from(tensors, ({ gradient }) => (gradient ? 1 : 0)),
    [tensors.length],
  );
  ranks.allReduce(counts);
  return counts.toNumbers().map((count) => count > 0);
}

function gradientOf(parameter: Tensor): Tensor {
  const found = parameter.gradient;
  if (found) return found;
  const none = zerosLike(parameter);
  parameter.gradient = none;
  return none;
}

/** The gradients in lists of one data type and device each, that have `bucketBytes` together at most. */
function bucketsOf(gradients: readonly Tensor[], bucketBytes: number): readonly (readonly Tensor[])[] {
  const buckets: Tensor[][] = [];
  const open = new Map<string, { readonly bucket: Tensor[]; bytes: number }>();
  for (const gradient of gradients) {
    const kind = `${gradient.dataType} ${gradient.device}`;
    const last = open.get(kind);
    const bytes = gradient.byteLength;
    if (last && last.bytes + bytes <= bucketBytes) {
      last.bucket.push(gradient);
      last.bytes += bytes;
    } else {
      const bucket = [gradient];
      buckets.push(bucket);
      open.set(kind, { bucket, bytes });
    }
  }
  return buckets;
}

function average(ranks: Ranks, gradients: readonly Tensor[]): void {
  const sizes = gradients.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  // By their order, not by their place in memory: on another rank they may be laid out differently.
  const flat = concatenate(
    gradients.map((gradient) => reshape(gradient, [-1])),
    0,
  );
  ranks.allReduce(flat);
  multiplyInPlace(flat, 1 / ranks.size);
  let start = 0;
  const means = gradients.map((gradient, i) => {
    const mean = reshape(narrow(flat, 0, start, sizes[i]), gradient.shape);
    start += sizes[i];
    return mean;
  });
  foreachCopy(gradients, means);
}
