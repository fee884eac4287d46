import { describe, expect, test } from 'vitest';
import { architectureSchema, strideBetween } from '../../src/architecture/architecture.ts';
import { microReference, reference } from '../network/peer.ts';

const { child } = reference.children['anisotropic, without skips'];
const { child: micro } = microReference.children['every operation, of odd volumes'];

describe('strideBetween', () => {
  const strides = [
    { depth: 1, plane: 1 },
    { depth: 1, plane: 2 },
    { depth: 2, plane: 1 },
    { depth: 2, plane: 2 },
    { depth: 1, plane: 2 },
  ] as const;
  const pooled = { ...child, encoder: child.encoder.map((level, at) => ({ ...level, pool: strides[at] })) };

  test('multiplies the poolings below the finer level, down to the coarser one', () => {
    expect(strideBetween(pooled, 0, 1)).toEqual([1, 2, 2]);
    expect(strideBetween(pooled, 0, 4)).toEqual([4, 8, 8]);
    expect(strideBetween(pooled, 1, 3)).toEqual([4, 2, 2]);
    expect(strideBetween(pooled, 3, 4)).toEqual([1, 2, 2]);
  });

  test('is 1 from a level to itself', () => {
    for (const level of [0, 1, 2, 3, 4]) expect(strideBetween(pooled, level, level)).toEqual([1, 1, 1]);
  });
});

describe('architecture.json', () => {
  test('is read as it was written, of either space', () => {
    for (const each of [child, micro]) expect(architectureSchema.parse(JSON.parse(JSON.stringify(each)))).toEqual(each);
  });

  test('without a space is of the macro space, which once was the only one', () => {
    const { space, ...unsaid } = child;
    expect(space).toBe('macro');
    expect(architectureSchema.parse(unsaid)).toEqual(child);
  });

  test('is refused with another number of levels, another stride or dilation, or what it does not have', () => {
    const refused = [
      { ...child, encoder: child.encoder.slice(1) },
      { ...child, decoder: [...child.decoder, child.decoder[0]] },
      { ...child, encoder: child.encoder.map((level) => ({ ...level, pool: { depth: 3, plane: 2 } })) },
      { ...child, decoder: child.decoder.map((level) => ({ ...level, dilation: 4 })) },
      { ...child, decoder: child.decoder.map((level) => ({ ...level, skips: [5] })) },
      { ...child, patch: { ...child.patch, depth: 0 } },
      { ...child, levels: 5 },
      { ...micro, space: 'macro' },
    ];
    for (const each of refused) expect(architectureSchema.safeParse(each).success, JSON.stringify(each)).toBe(false);
  });
});
