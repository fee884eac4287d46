import { describe, expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { macroSpace } from '../../src/space/macro.ts';
import { createSpace, hasOneChild } from '../../src/space/spaces.ts';
import { walk } from './walk.ts';

const dimensions = networkDimensions(1, 3);
const volumes = [
  [36, 51, 35],
  [155, 240, 240],
  [20, 320, 320],
] as const;

describe('the fixed space', () => {
  it.each(volumes)('has the base child of the macro space for volumes of %d x %d x %d alone', (...volume) => {
    const [macro, fixed] = [macroSpace(volume, dimensions), createSpace('fixed', volume, dimensions)];
    for (const pick of [0, 1, 7, 59]) {
      const child = walk(fixed, Array(fixed.decisions.length).fill(pick));
      expect(child).toEqual(macro.baseChoices);
      expect(fixed.decode(child)).toEqual(macro.base);
    }
    expect(fixed.base).toEqual(macro.base);
    expect(fixed.largest).toEqual(macro.base);
    expect(hasOneChild(fixed)).toBe(true);
  });
});

describe('the micro space', () => {
  it.each(volumes)('for volumes of %d x %d x %d is what its name says, and more than one child', (...volume) => {
    const space = createSpace('micro', volume, dimensions);
    expect([space.base, space.largest].map((child) => child.space)).toEqual(['micro', 'micro']);
    expect(hasOneChild(space)).toBe(false);
  });
});

describe('the macro space', () => {
  it.each(volumes)('for volumes of %d x %d x %d has its name, and more than one child', (...volume) => {
    const space = createSpace('macro', volume, dimensions);
    expect(space.largest).toEqual(macroSpace(volume, dimensions).largest);
    expect(space.largest).not.toEqual(space.base);
    expect(hasOneChild(space)).toBe(false);
  });
});
