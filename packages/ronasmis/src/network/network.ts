import type { NetworkDefinition } from './definition.ts';
import { type Parameter, recordParameters } from './parameters.ts';

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
