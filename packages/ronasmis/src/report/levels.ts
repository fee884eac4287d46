import { activations } from '../architecture/activations.ts';
import {
  type Architecture,
  type ChildArchitecture,
  type OwnArchitecture,
  strideBetween,
  type UNet,
} from '../architecture/architecture.ts';
import { blockOf } from '../architecture/blocks.ts';
import { childDimensions, type NetworkDimensions } from '../architecture/dimensions.ts';
import { patchOf } from '../architecture/patch.ts';
import { productOf, type Triple } from '../base/geometry.ts';
import type { RunRecord } from '../run/run-record.ts';
import { plural } from './format.ts';

/** What of a run's network is the same for all children: its widths, and where its kernels do not reach across slices. */
export type NetworkShape = Pick<RunRecord['network'], 'channels' | 'flat_levels'>;

/** A level of a U as a table or a picture shows it. */
export interface Level {
  /** Voxels of the patch, `[depth, height, width]`. */
  readonly size: Triple;
  readonly channels: number;
  /** By which it is smaller than the level above. */
  readonly stride: Triple;
  /** What is done to its features, in words. */
  readonly encoder: string;
  /** The same on the way up, and the encoder levels whose features are taken in; undefined at the lowest level. */
  readonly decoder: { readonly block: string; readonly skips: readonly number[] } | undefined;
}

/** The levels of an architecture, the full resolution first. */
export function levelsOf(architecture: Architecture, network: NetworkShape): readonly Level[] {
  switch (architecture.kind) {
    case undefined:
      return childLevels(architecture, network);
    case 'unet':
      return unetLevels(architecture, (part, level) => stageText(architecture, part, level));
    case 'cells':
    case 'open_cells':
      return unetLevels(architecture, (part) => `${part} cell`);
  }
}

function childLevels(child: ChildArchitecture, { channels, flat_levels }: NetworkShape): readonly Level[] {
  const own = childDimensions(child, { channels, flatLevels: flat_levels });
  return child.encoder.map(({ pool }, level) => {
    const decoder = child.decoder.at(level);
    return {
      size: sizeAfter(child, strideBetween(child, 0, level)),
      channels: own.channels[level],
      stride: [pool.depth, pool.plane, pool.plane],
      encoder: childBlock(child, own, 'encoder', level),
      decoder: decoder && { block: childBlock(child, own, 'decoder', level), skips: decoder.skips },
    };
  });
}

/** A level's kernels and its own choices (macro), or the cell that all levels have (micro). */
function childBlock(
  child: ChildArchitecture,
  { flatLevels }: Pick<NetworkDimensions, 'flatLevels'>,
  part: 'encoder' | 'decoder',
  level: number,
): string {
  const kernels = level < flatLevels ? '1×3×3 · ' : '';
  const block = blockOf(child, part, level);
  switch (block.kind) {
    case 'cell':
      return `${kernels}cell`;
    case 'convolutions': {
      const { convolutions, residual, dilation, activation } = block;
      const own = `${convolutions === 2 ? '' : `${plural(convolutions, 'convolution')} · `}${residual ? 'residual · ' : ''}`;
      return `${kernels}${own}dilation ${dilation} · ${activations[activation].title}`;
    }
  }
}

function stageText(unet: UNet, part: 'encoder' | 'decoder', level: number): string {
  const { block, counts } = unet[part];
  const what = block === 'residual' ? 'residual block' : 'convolution';
  return `${plural(counts[level], what)} · ${unet.kernels[level].join('×')}`;
}

function unetLevels(
  architecture: Pick<OwnArchitecture, 'patch' | 'features' | 'strides'>,
  blockText: (part: 'encoder' | 'decoder', level: number) => string,
): readonly Level[] {
  const { features, strides } = architecture;
  return features.map((channels, level) => {
    const stride = strides[level];
    return {
      size: sizeAfter(architecture, productOf(strides.slice(0, level + 1))),
      channels,
      stride,
      encoder: blockText('encoder', level),
      decoder: level < features.length - 1 ? { block: blockText('decoder', level), skips: [level] } : undefined,
    };
  });
}

/** What is left of an architecture's patch after these strides together. */
function sizeAfter(architecture: Pick<Architecture, 'patch'>, [ofDepth, ofHeight, ofWidth]: Triple): Triple {
  const [depth, height, width] = patchOf(architecture);
  return [Math.ceil(depth / ofDepth), Math.ceil(height / ofHeight), Math.ceil(width / ofWidth)];
}
