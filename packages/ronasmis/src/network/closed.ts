import type { Architecture } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import { cellsNetwork } from './cells.ts';
import { childNetwork } from './child.ts';
import type { Network } from './network.ts';
import { unetNetwork } from './unet.ts';

/** The network that an architecture says in which nothing is yet to be found. Loads no libtorch, so that a page can count one. */
export function closedNetwork(
  architecture: Exclude<Architecture, { kind: 'open_cells' }>,
  dimensions: NetworkDimensions,
): Network {
  switch (architecture.kind) {
    case undefined:
      return childNetwork(architecture, dimensions);
    case 'unet':
      return unetNetwork(architecture, dimensions);
    case 'cells':
      return cellsNetwork(architecture, dimensions);
  }
}
