import type { SearchEvent } from '../../run/event.ts';
import type { ChildFigures, ScatterPoints } from './messages.ts';

/** Children that are kept in memory. A search of days has some 100,000; of more, those with low rewards are thinned out. */
const mostKept = 200_000;
/** Of them, so many of the best stay whatever comes. */
const bestKept = 2000;
/** Points that a browser draws and hits with ease. */
const mostPoints = 2500;

/** The children of a step in figures. */
export function figuresOf({ step, children, coarse }: SearchEvent): readonly ChildFigures[] {
  return children.map(({ reward, seconds = null, memory_bytes: memory = null }, index) => ({
    step,
    index,
    reward,
    seconds,
    memory,
    coarse,
  }));
}

/** All, or, of too many, the best and every second of the others. */
export function keptChildren(children: ChildFigures[]): ChildFigures[] {
  if (children.length <= mostKept) return children;
  const least = rewardOfRank(children, bestKept);
  return children.filter(({ reward }, at) => at % 2 === 0 || reward > least);
}

function rewardOfRank(children: readonly ChildFigures[], rank: number): number {
  const rewards = Float64Array.from(children, ({ reward }) => reward).sort();
  return rewards[Math.max(0, rewards.length - 1 - rank)];
}

/** Children for a scatter plot: all, or of too many the best and some of each part of the search. */
export function scatterPoints(children: readonly ChildFigures[]): ScatterPoints {
  if (children.length <= mostPoints) return { total: children.length, children };
  const least = rewardOfRank(children, mostPoints / 5);
  const every = Math.ceil(children.length / (0.8 * mostPoints));
  const shown = children.filter(({ reward }, at) => at % every === 0 || reward > least);
  return { total: children.length, children: shown };
}
