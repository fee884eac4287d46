import {
  noGradient,
  oneDnnTakesBfloat16,
  peakTensorBytes,
  resetPeakTensorBytes,
  scope,
  tensor,
} from '@ronasmis/libtorch';
import { describe, expect, test } from 'vitest';
import type { UNet } from '../../src/architecture/unet.ts';
import type { Triple } from '../../src/base/geometry.ts';
import { dataTypeOf, type Precision } from '../../src/engine/device.ts';
import { toImage } from '../../src/engine/to-device.ts';
import { segment } from '../../src/inference/segment.ts';
import { forward } from '../../src/network/forward.ts';
import { networkLoss } from '../../src/network/loss.ts';
import { passBytes } from '../../src/network/memory.ts';
import { unetNetwork } from '../../src/network/unet.ts';
import { createWeights, networkWeights } from '../../src/network/weights.ts';
import { product } from '../chirp.ts';
import { references, scan } from './unet-reference.ts';
import { workBytes } from './work-bytes.ts';

const precisions: readonly Precision[] = oneDnnTakesBfloat16() ? ['fp32', 'bf16'] : ['fp32'];

/** As wide as makes tensors larger than the 64 KiB from which on the allocator counts them. */
const widened = (architecture: UNet): UNet => ({
  ...architecture,
  features: architecture.features.map((channels) => 3 * channels),
});

/** Volumes that strides divide and others, so large that what oneDNN works in beside them counts little. */
const sizesFor = (precision: Precision): readonly Triple[] =>
  precision === 'fp32'
    ? [
        [12, 48, 40],
        [11, 45, 43],
      ]
    : [
        [24, 96, 80],
        [23, 97, 83],
      ];

function measure(body: () => void): number {
  resetPeakTensorBytes('cpu');
  const before = peakTensorBytes('cpu');
  body();
  return peakTensorBytes('cpu') - before;
}

describe.skipIf(process.platform !== 'linux').each(precisions)(
  "a U-Net's memory in %s is what libtorch's allocator gives out for it",
  (precision) => {
    const dataType = dataTypeOf[precision];
    test.each(
      Object.entries(references).flatMap(([name, { architecture }]) =>
        sizesFor(precision).map((size) => ({ name, architecture, size })),
      ),
    )('$name, $size voxels', ({ architecture, size }) => {
      const network = unetNetwork(widened(architecture), scan);
      const weights = createWeights([...network.parameters, ...network.auxiliaryParameters], 'cpu', 1);
      const batch = 2;
      const values = new Float32Array(batch * 2 * product(size)).fill(1);
      const label = new Uint8Array(batch * product(size));
      const image = () => toImage(values, [batch, 2, ...size], 'cpu', dataType);
      const training = measure(() =>
        scope(() => {
          const loss = scope(() => {
            const own = networkWeights(network, weights, dataType, { deepSupervision: true });
            const logits = forward(network, own, image(), { deepSupervision: true });
            return networkLoss(network, logits, tensor(label, [batch, ...size]));
          });
          loss.backward();
        }),
      );
      const predicting = measure(() =>
        noGradient(() => scope(() => segment(network, networkWeights(network, weights, dataType), image()))),
      );
      const pass = { batch, size, dataType, device: 'cpu' } as const;
      const missed = Math.abs(passBytes(network, { ...pass, training: true }) - training);
      expect(missed).toBeLessThan(0.1 * training + workBytes[precision]);
      expect(Math.abs(passBytes(network, { ...pass, training: false }) / predicting - 1)).toBeLessThan(0.1);
    });
  },
);
