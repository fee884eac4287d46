import type { Activation, ChildArchitecture } from './architecture.ts';
import type { Cell } from './cell.ts';

/** What a level does to its features: convolutions of its own, or the cell that all levels repeat. */
export type Block =
  | {
      readonly kind: 'convolutions';
      readonly dilation: 1 | 2 | 3;
      readonly activation: Activation;
      readonly convolutions: 1 | 2 | 3;
      readonly residual: boolean;
    }
  | { readonly kind: 'cell'; readonly cell: Cell };

/** The block of a level of the encoder or the decoder. */
export function blockOf(architecture: ChildArchitecture, part: 'encoder' | 'decoder', level: number): Block {
  if ('cell' in architecture) return { kind: 'cell', cell: architecture.cell };
  const { dilation, activation, convolutions = 2, residual = false } = architecture[part][level];
  return { kind: 'convolutions', dilation, activation, convolutions, residual };
}
