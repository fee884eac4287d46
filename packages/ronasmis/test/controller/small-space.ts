import type { Architecture } from '../../src/space/architecture.ts';
import type { SearchSpace } from '../../src/space/macro.ts';
import type { Decision, Section } from '../../src/space/table1.ts';

const network: Section = { part: 'network' };
const levels: readonly Section[] = [
  { part: 'encoder', level: 0 },
  { part: 'encoder', level: 1 },
];
const decoder: Section = { part: 'decoder', level: 0 };

const decisions: readonly Decision[] = [
  { choice: 'patch_depth', section: network, options: 2 },
  { choice: 'dilation', section: levels[0], options: 3 },
  { choice: 'pool_plane', section: levels[1], options: 2 },
  { choice: 'dilation', section: levels[1], options: 3 },
  { choice: 'skip', section: decoder, options: 2, from: 0 },
  { choice: 'skip', section: decoder, options: 2, from: 1 },
];

function unbuilt(): Architecture {
  throw new Error('The small space is for the controller alone: it builds no networks.');
}

/** A space of 120 children, so small that all can be counted. Where the plane is pooled, dilation 3 does not reach. */
export const smallSpace: SearchSpace = {
  decisions,
  admitted(choices) {
    const dilates = choices.length !== 3 || choices[2] === 0;
    return [true, true, dilates].slice(0, decisions[choices.length].options);
  },
  decode: unbuilt,
  get base() {
    return unbuilt();
  },
  baseChoices: [0, 0, 1, 0, 1, 0],
  get largest() {
    return unbuilt();
  },
};

/** Every child that the masks leave. */
export const smallChildren = decisions.reduce<readonly (readonly number[])[]>(
  (prefixes) =>
    prefixes.flatMap((prefix) =>
      smallSpace.admitted(prefix).flatMap((allowed, option) => (allowed ? [[...prefix, option]] : [])),
    ),
  [[]],
);
