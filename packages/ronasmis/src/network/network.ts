import type { Triple } from '../base/geometry.ts';
import type { Operations } from './operations.ts';
import { type Parameter, recordParameters } from './parameters.ts';

/** How a pass in training differs. */
export interface WalkOptions {
  /** Logits of all supervised levels, not of the finest alone. */
  readonly deepSupervision: boolean;
  /** Whether a skip is left out this time: the zero operation, which regularises (drop-path). Never at prediction. */
  readonly dropSkip?: (level: number, from: number) => boolean;
}

/** Logits that are compared with the label: by which strides it is downsampled to them, and their share of the loss. */
export interface Supervision {
  readonly stride: Triple;
  readonly weight: number;
}

/** What a network is written as: its passage over the operations, and what is learnt from it. */
export interface NetworkDefinition {
  readonly inputChannels: number;
  /** The background included. */
  readonly classes: number;
  /** The finest first; they have a weight of 1 together. */
  readonly supervised: readonly Supervision[];
  /** @returns logits, the finest first; without deep supervision those alone */
  walk<Features>(operations: Operations<Features>, image: Features, options: WalkOptions): readonly Features[];
}

/** A network, whichever system it belongs to: what trains, predicts, counts or exports one knows no more of it. */
export interface Network extends NetworkDefinition {
  /** The weights that prediction needs. */
  readonly parameters: readonly Parameter[];
  /** The weights that training needs besides: heads that only deep supervision uses. */
  readonly auxiliaryParameters: readonly Parameter[];
}

/** A network by its definition: its weights are recorded on a walk through it, when they are asked for. */
export function defineNetwork(definition: NetworkDefinition): Network {
  let recorded: Pick<Network, 'parameters' | 'auxiliaryParameters'> | undefined;
  const record = () => {
    const parameters = recordParameters(definition, { deepSupervision: false });
    const names = new Set(parameters.map(({ name }) => name));
    const all = recordParameters(definition, { deepSupervision: true });
    recorded = { parameters, auxiliaryParameters: all.filter(({ name }) => !names.has(name)) };
    return recorded;
  };
  return {
    ...definition,
    get parameters() {
      return (recorded ?? record()).parameters;
    },
    get auxiliaryParameters() {
      return (recorded ?? record()).auxiliaryParameters;
    },
  };
}
