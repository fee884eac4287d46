import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Axis, axes, type Triple } from '../../src/base/geometry.ts';
import { type Augmentation, turningMatrix } from '../../src/batches/augmentation.ts';
import { type CropSource, fillBatch } from '../../src/batches/fill-batch.ts';
import type { Matrix } from '../../src/batches/resample.ts';
import { moveToDisk } from '../../src/preparation/storage.ts';
import { chirpValues, product } from '../chirp.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { chirpLabel } from '../network/peer.ts';
import { expectDigest, nnunetReference, reference } from './reference.ts';

const folder = await temporaryFolder();
const shape: Triple = [9, 14, 12];
const image = Float32Array.from(chirpValues(product(shape), 1));
const label = chirpLabel(product(shape), 4, 3);
const source: CropSource = { channels: 1, shape, storage: { kind: 'memory', image, label } };
const identity: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

interface Cut {
  readonly patch: Triple;
  readonly offset: Triple;
  readonly flip: readonly Axis[];
}

/** One patch of one case, as the worker fills it. */
function filled({ patch, offset, flip }: Cut, augmentation: Augmentation, from = source) {
  const arrays = { image: new Float32Array(product(patch)).fill(99), label: new Uint8Array(product(patch)).fill(99) };
  fillBatch([from], { patch, crops: [{ case: 0, offset, flip, augmentation }] }, arrays);
  return arrays;
}

const mirroredOrNot = reference.turned.map(({ flip, ...turned }) => ({
  ...turned,
  flip: flip ? ['width' as const] : [],
}));
describe.each(mirroredOrNot)('a patch turned by $angles, $scales times as far, mirrored along $flip', (turned) => {
  test("has SciPy's image and label", () => {
    const found = filled(turned, { matrix: turned.matrix });
    expectDigest(found.image, turned.image, 5);
    expectDigest(found.label, turned.label, 10);
  });

  test('is the same from disk', async () => {
    const storage = await moveToDisk(join(folder, 'case'), image, label);
    expect(filled(turned, { matrix: turned.matrix }, { ...source, storage })).toEqual(
      filled(turned, { matrix: turned.matrix }),
    );
  });
});

describe.each(nnunetReference.turned)('a patch turned by $matrix', ({ matrix, patch, ...expected }) => {
  const size: Triple = [14, 18, 20];
  const blocks = chirpLabel(630, 4, 3);
  const whole: CropSource = {
    channels: 1,
    shape: size,
    storage: {
      kind: 'memory',
      image: Float32Array.from(chirpValues(product(size), 1)),
      // Each of the 7 x 9 x 10 values is a block of 2 x 2 x 2 voxels.
      label: Uint8Array.from({ length: product(size) }, (_, i) => {
        const [z, y, x] = [Math.floor(i / 360), Math.floor(i / 20) % 18, i % 20];
        return blocks[(Math.floor(z / 2) * 9 + Math.floor(y / 2)) * 10 + Math.floor(x / 2)];
      }),
    },
  };
  const offset: Triple = [(14 - patch[0]) / 2, (18 - patch[1]) / 2, (20 - patch[2]) / 2];

  test("has nnU-Net's image, and its labels where they are those of the largest share", () => {
    const found = filled({ patch, offset, flip: [] }, { matrix, labels: 'linear' }, whole);
    expectDigest(found.image, expected.image, 4);
    expectDigest(found.label, expected.label, 10);
    expect(found.label).not.toEqual(filled({ patch, offset, flip: [] }, { matrix }, whole).label);
  });
});

const cut = fc.record({
  patch: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 13 })),
  offset: fc.tuple(fc.integer({ min: -5, max: 8 }), fc.integer({ min: -5, max: 8 }), fc.integer({ min: -5, max: 8 })),
  flip: fc.subarray([...axes]),
});

test('the identity changes nothing, wherever the patch lies', () => {
  fc.assert(
    fc.property(cut, (where) => {
      expect(filled(where, { matrix: identity })).toEqual(filled(where, {}));
      expect(filled(where, { matrix: identity, labels: 'linear' })).toEqual(filled(where, {}));
    }),
  );
});

test('no turn reads what is not there: values stay within those of the case, labels among them', () => {
  const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
  const scale = fc.double({ min: 0.5, max: 2, noNaN: true });
  const labels = fc.constantFrom('nearest' as const, 'linear' as const);
  fc.assert(
    fc.property(cut, fc.tuple(angle, angle, angle), scale, labels, (where, angles, factor, labels) => {
      const matrix = turningMatrix(angles, [factor, factor, factor], [2, 1, 1.3]);
      const found = filled(where, { matrix, labels });
      for (const value of found.image) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      for (const value of found.label) expect(value).toBeLessThan(4);
    }),
  );
});
