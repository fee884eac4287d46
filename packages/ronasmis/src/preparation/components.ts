import type { Triple } from '../base/geometry.ts';

/** Voxels of one class beside each other along the width, from `first` to before `end` in memory order. */
export interface VoxelRun {
  readonly label: number;
  readonly first: number;
  readonly end: number;
}

/** A component is small that has less than this share of the voxels of its class's largest one. */
const smallShare = 0.5;

/**
 * The voxels of small components: of each class, those that have less than half as many as the largest. Voxels belong together that touch by a
 * face, an edge or a corner (as by SciPy's `label` with a structure of 3x3x3).
 * @param labels of `shape` [depth, height, width]; 0 is background, of which nothing is told
 */
export function smallComponents(labels: ArrayLike<number>, shape: Triple): readonly VoxelRun[] {
  const { runs, parents } = connectedRuns(labels, shape);
  const sizes = new Float64Array(runs.length);
  for (const [index, { first, end }] of runs.entries()) sizes[rootOf(parents, index)] += end - first;
  const largest = new Map<number, number>();
  for (const [index, { label }] of runs.entries()) largest.set(label, Math.max(sizes[index], largest.get(label) ?? 0));
  return runs.filter(({ label }, index) => sizes[rootOf(parents, index)] < smallShare * (largest.get(label) ?? 0));
}

/** Labels without the small components of these classes, which become background. */
export function removeSmallComponents(labels: Uint8Array, shape: Triple, classes: readonly number[]): Uint8Array {
  if (classes.length === 0) return labels;
  const kept = labels.slice();
  for (const { label, first, end } of smallComponents(labels, shape)) {
    if (classes.includes(label)) kept.fill(0, first, end);
  }
  return kept;
}

/** Of a class, so much may lie in small components where it is still one piece: stray voxels of who has drawn it. */
const strayShare = 0.01;

/** The classes of which more than a hundredth of the voxels lies in small components. */
export function scatteredClasses(labels: ArrayLike<number>, shape: Triple): readonly number[] {
  const small = new Map<number, number>();
  for (const { label, first, end } of smallComponents(labels, shape))
    small.set(label, (small.get(label) ?? 0) + end - first);
  if (small.size === 0) return [];
  const all = new Map<number, number>();
  for (let voxel = 0; voxel < labels.length; voxel++) {
    const label = labels[voxel];
    if (small.has(label)) all.set(label, (all.get(label) ?? 0) + 1);
  }
  return [...small].flatMap(([label, count]) => (count > strayShare * (all.get(label) ?? 0) ? [label] : []));
}

/** The runs of a volume in memory order, and by each the run that it was joined to: a forest of which each tree is a component (union-find). */
function connectedRuns(labels: ArrayLike<number>, [depth, height, width]: Triple) {
  const runs: VoxelRun[] = [];
  const parents: number[] = [];
  /** By row, its first run; and after the last row, the number of runs. */
  const starts = new Uint32Array(depth * height + 1);
  for (let row = 0; row < depth * height; row++) {
    starts[row] = runs.length;
    addRuns(runs, labels, row * width, width);
    for (let index = starts[row]; index < runs.length; index++) parents.push(index);
    starts[row + 1] = runs.length;
    const [z, y] = [Math.floor(row / height), row % height];
    for (const [dz, dy] of earlierRows) {
      if (z + dz < 0 || y + dy < 0 || y + dy >= height) continue;
      const other = row + dz * height + dy;
      joinRows(
        runs,
        parents,
        [starts[row], starts[row + 1]],
        [starts[other], starts[other + 1]],
        (row - other) * width,
      );
    }
  }
  return { runs, parents };
}

/** Rows that touch a row and come before it, as [depth, height] from it. */
const earlierRows = [
  [0, -1],
  [-1, -1],
  [-1, 0],
  [-1, 1],
] as const;

/** Adds what one row has. */
function addRuns(runs: VoxelRun[], labels: ArrayLike<number>, start: number, width: number): void {
  for (let voxel = start; voxel < start + width; ) {
    const first = voxel;
    const label = labels[first];
    do voxel++;
    while (voxel < start + width && labels[voxel] === label);
    if (label !== 0) runs.push({ label, first, end: voxel });
  }
}

type Span = readonly [number, number];

/** Joins the runs of a row with those of another that they touch, which lies `distance` voxels before. */
function joinRows(
  runs: readonly VoxelRun[],
  parents: number[],
  [from, to]: Span,
  [start, until]: Span,
  distance: number,
): void {
  let other = start;
  for (let one = from; one < to; one++) {
    const { label, first, end } = runs[one];
    // Corners touch: runs reach one voxel further on both sides.
    while (other < until && runs[other].end + distance < first) other++;
    for (let touched = other; touched < until && runs[touched].first + distance <= end; touched++) {
      if (runs[touched].label === label) join(parents, one, touched);
    }
  }
}

/** The earlier root becomes that of both, so that a component's root is its first run. */
function join(parents: number[], one: number, two: number): void {
  const [first, second] = [rootOf(parents, one), rootOf(parents, two)];
  parents[Math.max(first, second)] = Math.min(first, second);
}

function rootOf(parents: number[], index: number): number {
  let root = index;
  while (parents[root] !== root) {
    parents[root] = parents[parents[root]]; // halves the way for those that come later
    root = parents[root];
  }
  return root;
}
