import type { Architecture } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { closedNetwork } from './closed.ts';
import type { Network } from './network.ts';
import { coveringNetworks, largestNetwork } from './open-cells.ts';
import { type Parameter, sharedParameters } from './parameters.ts';

/** The network that an architecture says; where its cells are yet to be found, the one that takes the most. */
export function networkOf(architecture: Architecture, dimensions: NetworkDimensions): Network {
  return architecture.kind === 'open_cells'
    ? largestNetwork(architecture, dimensions)
    : closedNetwork(architecture, dimensions);
}

/** The weights that networks of these architectures need between them, with or without the matrices of taps. */
export function parametersOf(
  architectures: readonly Architecture[],
  dimensions: NetworkDimensions,
  { mixes_taps: mixesTaps }: Pick<Recipe['network'], 'mixes_taps'>,
): readonly Parameter[] {
  const networks = architectures.flatMap((architecture) =>
    architecture.kind === 'open_cells'
      ? coveringNetworks(architecture, dimensions)
      : [networkOf(architecture, dimensions)],
  );
  return sharedParameters(networks, { mixesTaps });
}
