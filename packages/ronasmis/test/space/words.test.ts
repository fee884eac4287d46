import { describe, expect, it } from 'vitest';
import { networkDimensions } from '../../src/architecture/dimensions.ts';
import { createSpace } from '../../src/space/spaces.ts';
import { choicesInWords, policyInWords } from '../../src/space/words.ts';

const volume = [32, 64, 64] as const;

describe.each(['macro', 'micro'] as const)('the %s space in words', (name) => {
  const space = createSpace(name, volume, networkDimensions(1, 3));

  it('calls what a child has as its decisions do', () => {
    const words = new Map(choicesInWords(space.base));
    space.decisions.forEach(({ words: said, options }, at) => {
      expect(said?.options).toHaveLength(options);
      expect(said?.options[space.baseChoices[at]]).toBe(words.get(said?.title ?? ''));
    });
  });

  it('has a title of its own for each decision', () => {
    expect(new Set(space.decisions.map(({ words }) => words?.title)).size).toBe(space.decisions.length);
  });

  it('says how likely each option is', () => {
    const even = space.decisions.map(({ options }) => Array.from({ length: options }, () => 1 / options));
    const said = policyInWords(space, even) ?? [];
    expect(said).toHaveLength(space.decisions.length);
    for (const { probabilities } of said) {
      const sum = Object.values(probabilities).reduce((one, other) => one + other, 0);
      expect(sum).toBeCloseTo(1, 3);
    }
  });
});

it('a space of someone else, who has no words, is called by numbers', () => {
  const decisions = [{ choice: 'width', options: 2 }];
  expect(policyInWords({ decisions }, [[0.25, 0.75]])).toEqual([
    { choice: 'width, decision 1', probabilities: { 0: 0.25, 1: 0.75 } },
  ]);
  expect(policyInWords({ decisions }, undefined)).toBeUndefined();
});
