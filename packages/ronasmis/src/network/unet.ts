import type { UNetArchitecture } from '../architecture/architecture.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Network } from './network.ts';

/** Placeholder until the operations are merged. */
export function unetNetwork(_: UNetArchitecture, __: Pick<NetworkDimensions, 'inputChannels' | 'classes'>): Network {
  throw new Error('not merged yet');
}
