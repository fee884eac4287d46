import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import type { Decision, SearchSpace } from '../../src/space/space.ts';

/** Two levels, whose dilations are decided last, and a skip from each. */
const decisions: readonly Decision[] = [
  { choice: 'patch_depth', options: 2 },
  { choice: 'dilation', options: 3 },
  { choice: 'pool_plane', options: 2 },
  { choice: 'dilation', options: 3 },
  { choice: 'skip', options: 2, sources: [null, 2] },
  { choice: 'skip', options: 2, sources: [null, 4] },
];

function unbuilt(): ChildArchitecture {
  throw new Error('The small space is for the controller alone: it builds no networks.');
}

/** A space of 120 children, so small that all can be counted. Where the plane is pooled, dilation 3 does not reach. */
export const smallSpace: SearchSpace = spaceOf(decisions);

function spaceOf(all: readonly Decision[]): SearchSpace {
  return {
    decisions: all,
    admitted(choices) {
      const dilates = choices.length !== 3 || choices[2] === 0;
      return [true, true, dilates].slice(0, all[choices.length].options);
    },
    decode: unbuilt,
    get base() {
      return unbuilt();
    },
    baseChoices: [0, 0, 1, 0, 1, 0],
    get covering() {
      return [unbuilt()];
    },
    get largest() {
      return unbuilt();
    },
  };
}

/** Every child that the masks leave. */
export const smallChildren = decisions.reduce<readonly (readonly number[])[]>(
  (prefixes) =>
    prefixes.flatMap((prefix) =>
      smallSpace.admitted(prefix).flatMap((allowed, option) => (allowed ? [[...prefix, option]] : [])),
    ),
  [[]],
);
