import fc from 'fast-check';
import type { ChildArchitecture, MacroArchitecture } from '../../src/architecture/architecture.ts';
import type { NetworkDimensions } from '../../src/architecture/dimensions.ts';
import type { MacroSpace } from '../../src/space/macro.ts';
import type { SpaceName } from '../../src/space/names.ts';
import type { SearchSpace } from '../../src/space/space.ts';
import { createSpace } from '../../src/space/spaces.ts';
import type { MacroDecision } from '../../src/space/table1.ts';

/** Answers every decision by one of its admitted options: by the remainder of `picks` and their number. */
export function walk(space: SearchSpace, picks: readonly number[]): readonly number[] {
  const choices: number[] = [];
  for (const [at, { choice }] of space.decisions.entries()) {
    const admitted = space.admitted(choices).flatMap((allowed, option) => (allowed ? [option] : []));
    if (admitted.length === 0) throw new Error(`No option is left for ${choice} after ${choices.join(' ')}.`);
    choices.push(admitted[picks[at] % admitted.length]);
  }
  return choices;
}

/** Random walks through a space, by admitted options. */
export function walks(space: SearchSpace): fc.Arbitrary<readonly number[]> {
  const length = space.decisions.length;
  return fc
    .array(fc.integer({ min: 0, max: 59 }), { minLength: length, maxLength: length })
    .map((picks) => walk(space, picks));
}

/** Random children of the space of this name for these volumes. */
export function randomChildren(
  name: SpaceName,
  volume: readonly [number, number, number],
  dimensions: NetworkDimensions,
): fc.Arbitrary<ChildArchitecture> {
  const space = createSpace(name, volume, dimensions);
  return walks(space).map(space.decode);
}

/** One child for each way to pool that the space admits: the largest patch, no dilation, leaky ReLU, the skips that are wanted. */
export function childrenOfAllPoolings(
  space: MacroSpace,
  wantsSkip: (decision: MacroDecision) => boolean,
): readonly MacroArchitecture[] {
  const extend = (choices: readonly number[], decision: MacroDecision): readonly (readonly number[])[] => {
    switch (decision.choice) {
      case 'pool_depth':
      case 'pool_plane':
        return space.admitted(choices).flatMap((allowed, option) => (allowed ? [[...choices, option]] : []));
      case 'activation':
        return [[...choices, 1]];
      case 'skip':
        return [[...choices, wantsSkip(decision) ? 1 : 0]];
      default:
        return [[...choices, 0]];
    }
  };
  let walked: readonly (readonly number[])[] = [[]];
  for (const decision of space.decisions) walked = walked.flatMap((choices) => extend(choices, decision));
  return walked.map(space.decode);
}
