import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Triple } from '../../src/base/geometry.ts';
import { type Augmentation, turningMatrix } from '../../src/batches/augmentation.ts';
import { type CropSource, fillBatch } from '../../src/batches/fill-batch.ts';
import type { Matrix } from '../../src/batches/resample.ts';
import { moveToDisk } from '../../src/preparation/storage.ts';
import { chirpValues, product } from '../chirp.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { chirpLabel } from '../network/peer.ts';
import { expectDigest, reference } from './reference.ts';

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
  readonly flip: boolean;
}

/** One patch of one case, as the worker fills it. */
function filled({ patch, offset, flip }: Cut, augmentation: Augmentation, from = source) {
  const arrays = { image: new Float32Array(product(patch)).fill(99), label: new Uint8Array(product(patch)).fill(99) };
  fillBatch([from], { patch, crops: [{ case: 0, offset, flip, augmentation }] }, arrays);
  return arrays;
}

describe.each(reference.turned)('a patch turned by $angles, $scales times as far, mirrored: $flip', (turned) => {
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

const cut = fc.record({
  patch: fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 13 })),
  offset: fc.tuple(fc.integer({ min: -5, max: 8 }), fc.integer({ min: -5, max: 8 }), fc.integer({ min: -5, max: 8 })),
  flip: fc.boolean(),
});

test('the identity changes nothing, wherever the patch lies', () => {
  fc.assert(
    fc.property(cut, (where) => {
      expect(filled(where, { matrix: identity })).toEqual(filled(where, {}));
    }),
  );
});

test('no turn reads what is not there: values stay within those of the case, labels among them', () => {
  const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
  const scale = fc.double({ min: 0.5, max: 2, noNaN: true });
  fc.assert(
    fc.property(cut, fc.tuple(angle, angle, angle), scale, (where, angles, factor) => {
      const found = filled(where, { matrix: turningMatrix(angles, [factor, factor, factor], [2, 1, 1.3]) });
      for (const value of found.image) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      for (const value of found.label) expect(value).toBeLessThan(4);
    }),
  );
});
