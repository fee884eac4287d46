import { clone, noGradient, scope } from '@ronasmis/libtorch';
import type { Coarse } from '../architecture/architecture.ts';
import { networkOf } from '../network/of-architecture.ts';
import { coarsePrefix } from '../network/prefix.ts';
import { freeNetworkWeights, networkWeights, type Weights } from '../network/weights.ts';
import type { Downsampling } from '../preparation/downsampling.ts';
import { hasOneChild } from '../space/spaces.ts';
import type { RunContext, SearchContext } from './context.ts';
import { bestOf, type Evaluable, type Evaluation } from './evaluating.ts';

/** The best child of a search's coarse part, as it was at its end: what the one that is found at the full resolution may be joined with. */
export interface CoarseChild {
  readonly coarse: Coarse;
  /** Its own, float32, by the names that it has alone; they live as long as the run. */
  readonly weights: Weights;
}

/** Whether what a search finds may be joined with what its coarse part has found: where the recipe has it, and anything is chosen at all. */
export function mayJoin({
  recipe,
  downsampling,
  space,
}: Pick<SearchContext, 'recipe' | 'space'> & { readonly downsampling?: Downsampling | undefined }): boolean {
  return recipe.search.joins_coarse && downsampling !== undefined && !hasOneChild(space);
}

/** Copies what the best of these children computes with; undefined where there is none that can be joined. */
export function keepCoarse(
  { dimensions, downsampling }: Pick<RunContext, 'dimensions' | 'downsampling'>,
  shared: Weights,
  children: readonly (Evaluable & Pick<Evaluation, 'reward'>)[],
): CoarseChild | undefined {
  if (downsampling === undefined || children.length === 0) return undefined;
  const { architecture } = bestOf(children);
  if (architecture.kind !== undefined) return undefined;
  const weights = noGradient(() => {
    const own = networkWeights(networkOf(architecture, dimensions), shared, 'float32');
    const copies = scope(() => new Map(Array.from(own, ([name, tensor]) => [name, clone(tensor)])));
    freeNetworkWeights(own, shared);
    return copies;
  });
  return { coarse: { downsampling, network: architecture }, weights };
}

/**
 * What a child's own logits weigh beside the coarse network's: the validation cases choose, and the first of equals stays. None weighs more than the
 * coarse one: where a handful of cases would have it so, others were worse for it (docs/experiments/exploring.md).
 */
const fineShares = [0.5, 0.25] as const;
/** Networks that are evaluated where one is joined, besides the first. */
export const otherShares = fineShares.length - 1;

/** A child with the coarse one beside it, at each share of their mean; none where it can have none. */
export function joinedWith({ architecture }: Evaluable, { coarse }: CoarseChild): readonly Evaluable[] {
  if (architecture.kind !== undefined) return [];
  return fineShares.map((share) => ({ architecture: { ...architecture, coarse: { ...coarse, fine_share: share } } }));
}

/** The weights that children share, and those of the coarse one by the names that it has in a child. */
export function joinedWeights(shared: Weights, { weights }: CoarseChild): Weights {
  const beside = Array.from(weights, ([name, tensor]) => [coarsePrefix + name, tensor] as const);
  return new Map([...shared, ...beside]);
}

/** The own weights of a network that may be joined; those of the coarse one are freed. */
export function withoutCoarse(weights: Weights): Weights {
  const own = new Map(weights);
  for (const [name, tensor] of weights) {
    if (!name.startsWith(coarsePrefix)) continue;
    own.delete(name);
    tensor.free();
  }
  return own;
}
