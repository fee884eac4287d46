import { clone, multiplyScalar, noGradient, scope, type Tensor } from '@ronasmis/libtorch';
import type { Coarse } from '../architecture/architecture.ts';
import { networkOf } from '../network/of-architecture.ts';
import { isOfHead } from '../network/parameters.ts';
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

/** A child with the coarse one beside it; undefined where it can have none. */
export function joinedWith({ architecture }: Evaluable, { coarse }: CoarseChild): Evaluable | undefined {
  return architecture.kind === undefined ? { architecture: { ...architecture, coarse } } : undefined;
}

/** The weights that children share, and those of the coarse one by the names that it has in a child. */
export function joinedWeights(shared: Weights, { weights }: CoarseChild): Weights {
  const beside = Array.from(weights, ([name, tensor]) => [coarsePrefix + name, tensor] as const);
  return new Map([...shared, ...beside]);
}

const isHead = (name: string): boolean =>
  isOfHead(name.startsWith(coarsePrefix) ? name.slice(coarsePrefix.length) : name);

/**
 * The same with halved heads, which are new tensors: the logits of a joined network are then the mean of both networks', where they were the sum.
 */
export function withMeanOfLogits(weights: Weights): Weights {
  const halved = (name: string, tensor: Tensor): Tensor => (isHead(name) ? multiplyScalar(tensor, 0.5) : tensor);
  return noGradient(() => new Map(Array.from(weights, ([name, tensor]) => [name, halved(name, tensor)])));
}

/** The child's own of the weights that {@link withMeanOfLogits} gave of a joined network, of which the others are freed. */
export function withoutCoarse(weights: Weights): Weights {
  const own = noGradient(
    () =>
      new Map(
        Array.from(weights)
          .filter(([name]) => !name.startsWith(coarsePrefix))
          .map(([name, tensor]) => [name, isHead(name) ? multiplyScalar(tensor, 2) : tensor]),
      ),
  );
  for (const [name, tensor] of weights) if (own.get(name) !== tensor) tensor.free();
  return own;
}
