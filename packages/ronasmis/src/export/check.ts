import { isMainThread } from 'node:worker_threads';
import { argmaxLabels, noGradient, scope, tensor } from '@ronasmis/libtorch';
import { z } from 'zod';
import { codeOf, reasonOf } from '../base/errors.ts';
import { createRandom, normal } from '../base/random.ts';
import { toImage } from '../engine/to-device.ts';
import type { Model } from '../inference/model.ts';
import { forward } from '../network/forward.ts';
import { ports } from './model.ts';

type Runtime = typeof import('onnxruntime-node');

/** How far an exported network computes what ours does, on one image. */
export interface Agreement {
  /** Of the image: `[batch, channel, depth, height, width]`. */
  readonly shape: readonly number[];
  /** Between logits. */
  readonly largestDifference: number;
  /** Of ours, without its sign. */
  readonly largestLogit: number;
  /** Share of the voxels whose label is the same, 0 to 1. */
  readonly equalLabels: number;
}

/** What comparing an exported network has come to; `unchecked` where ONNX Runtime is not there, with the reason. */
export type Check = ({ readonly kind: 'agrees' } & Agreement) | { readonly kind: 'unchecked'; readonly reason: string };

/** Of the largest logit. Rounding alone made at most a thirtieth of it in random children of both spaces. */
const allowedDifference = 1e-3;
const leastEqualLabels = 0.999;
/** Odd, and of more than one voxel on every level of the network. */
const checkedVolume = [33, 37, 35];

/**
 * Runs an exported network by ONNX Runtime on a small volume of noise, where onnxruntime-node is installed, and compares it with ours.
 * Throws where the two disagree.
 */
export async function checkOnnx(onnx: Uint8Array, model: Model): Promise<Check> {
  const runtime = await loadRuntime().catch(whyMissing);
  if (typeof runtime === 'string') return { kind: 'unchecked', reason: runtime };
  const agreement = await compare(runtime, onnx, model, [1, model.network.inputChannels, ...checkedVolume]);
  const { largestDifference, largestLogit, equalLabels } = agreement;
  // What is no number disagrees as well.
  if (!(largestDifference <= allowedDifference * largestLogit && equalLabels >= leastEqualLabels)) {
    throw new Error(
      `The exported network is not written, for onnxruntime-node makes something else of it: logits of up to ${largestLogit} differ by ` +
        `up to ${largestDifference}, and ${100 * equalLabels} % of the labels are equal.`,
    );
  }
  return { kind: 'agrees', ...agreement };
}

/**
 * ONNX Runtime, which is told to report nothing before it is loaded: from 1.30 on it otherwise keeps a number of the device in the user's
 * cache folder, and a queue of events to be sent, which name models and what is in them.
 * @throws Error where it can't be told so: what a worker thread sets in its environment, a copy, does not reach native code
 */
export async function loadRuntime(): Promise<Runtime> {
  process.env[silence] = '1';
  if (!isMainThread && !isSilenced()) {
    throw new Error(`it would report its use from a worker thread; set ${silence}=1 for the process`);
  }
  return import('onnxruntime-node');
}

const silence = 'ORT_DISABLE_TELEMETRY';

/** Whether the process itself, as native code sees it, has the variable; Node tells that in its reports alone. */
function isSilenced(): boolean {
  const report = z.object({ environmentVariables: z.record(z.string(), z.string()) });
  return report.parse(process.report.getReport()).environmentVariables[silence] === '1';
}

function whyMissing(error: unknown): string {
  const isMissing = codeOf(error) === 'ERR_MODULE_NOT_FOUND';
  return isMissing ? 'onnxruntime-node is not installed' : `onnxruntime-node is not loaded (${reasonOf(error)})`;
}

/** Both networks on the same noise of `shape`, `[batch, channel, depth, height, width]`, in float32 on the processor. */
export async function compare(
  runtime: Runtime,
  onnx: Uint8Array,
  { network, weights }: Pick<Model, 'network' | 'weights'>,
  shape: readonly number[],
): Promise<Agreement> {
  const random = createRandom(1);
  const image = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => normal(random));
  const session = await runtime.InferenceSession.create(onnx, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const { [ports.output]: found } = await session.run({ [ports.input]: new runtime.Tensor('float32', image, shape) });
  const { data, dims } = found;
  await session.release();
  if (!(data instanceof Float32Array)) throw new TypeError(`ONNX Runtime gives logits as ${found.type}.`);
  return noGradient(() =>
    scope(() => {
      const [ours] = forward(network, weights, toImage(image, shape, 'cpu', 'float32'));
      if (String(dims) !== String(ours.shape))
        throw new Error(`ONNX Runtime gives logits of [${dims}], and this program of [${ours.shape}].`);
      const logits = ours.toNumbers();
      const [labels, foundLabels] = [ours, tensor(data, dims)].map((logits) => argmaxLabels(logits).toNumbers());
      return {
        shape,
        largestDifference: logits.reduce((largest, logit, i) => Math.max(largest, Math.abs(logit - data[i])), 0),
        largestLogit: logits.reduce((largest, logit) => Math.max(largest, Math.abs(logit)), 0),
        equalLabels: labels.reduce((count, label, i) => count + (label === foundLabels[i] ? 1 : 0), 0) / labels.length,
      };
    }),
  );
}
