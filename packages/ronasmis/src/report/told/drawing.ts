import type { Architecture } from '../../architecture/architecture.ts';
import { type Cell, looseEnds, operations } from '../../architecture/cell.ts';
import { patchOf } from '../../architecture/patch.ts';
import type { SearchEvent } from '../../run/event.ts';
import { dimensionsOf, type RunRecord } from '../../run/run-record.ts';
import { featureBytes } from '../feature-bytes.ts';
import { levelsOf } from '../levels.ts';
import { figuresOf } from './children.ts';
import type { Known } from './known.ts';
import type { ChildFigures, Drawing, DrawnCell, DrawnNetwork } from './messages.ts';

/** A child of a step by its place among them; undefined where there is none. */
export function drawChildOf(event: SearchEvent, index: number, run: RunRecord): Drawing | undefined {
  const child = event.children.at(index);
  if (child === undefined) return undefined;
  return drawingOf(`Child ${index + 1} of step ${event.step}`, child.architecture, run, figuresOf(event)[index]);
}

/** The architecture that was found, or, before that, the best child of the last step; null before the first. */
export function drawBest({ run, architecture, lastEvaluated }: Known): Drawing | null {
  if (run === null) return null;
  if (architecture !== null) return drawFound(architecture, run);
  if (lastEvaluated === null) return null;
  const { children, step } = lastEvaluated;
  const rewards = children.map(({ reward }) => reward);
  const best = rewards.indexOf(Math.max(...rewards));
  const title = `The best child of step ${step}`;
  return drawingOf(title, children[best].architecture, run, figuresOf(lastEvaluated)[best]);
}

/** The architecture that a run has left. */
export function drawFound(architecture: Architecture, run: RunRecord): Drawing {
  return drawingOf('The architecture that was found', architecture, run, null);
}

function drawingOf(title: string, architecture: Architecture, run: RunRecord, child: ChildFigures | null): Drawing {
  const bytesPerElement = run.engine.precision === 'fp32' ? 4 : 2;
  const coarse = architecture.kind === undefined ? architecture.coarse : undefined;
  return {
    title,
    child,
    ...networkOf(architecture, run),
    bytes: featureBytes(architecture, dimensionsOf(run), bytesPerElement) ?? null,
    beside: coarse === undefined ? null : { ...networkOf(coarse.network, run), downsampling: coarse.downsampling },
  };
}

function networkOf(architecture: Architecture, run: RunRecord): DrawnNetwork {
  return {
    isChild: architecture.kind === undefined,
    patch: patchOf(architecture),
    levels: levelsOf(architecture, run.network),
    cell: 'cell' in architecture ? cellOf(architecture.cell) : null,
  };
}

function cellOf(cell: Cell): DrawnCell {
  const nodes = cell.map((terms) =>
    terms.map(({ operation, input }) => ({ operation: operations[operation].name, input })),
  );
  return { nodes, looseEnds: looseEnds(cell) };
}
