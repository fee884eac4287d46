import { create, toBinary } from '@bufbuild/protobuf';
import type { Architecture } from '../architecture/architecture.ts';
import { VERSION } from '../base/version.ts';
import { zScore } from '../data/normalisation.ts';
import type { Model } from '../inference/model.ts';
import { looksOf } from '../inference/tiles.ts';
import { weight } from '../network/weights.ts';
import type { RunRecord } from '../run/run-record.ts';
import { createGraph, finishGraph } from './graph.ts';
import { addNetwork } from './network.ts';
import { ModelProtoSchema, Version } from './onnx_pb.ts';

/** Names of the model's input and output. */
export const ports = { input: 'image', output: 'logits' } as const;

/** Of ONNX's own operations. It has all that are used, and runtimes have it since 2022. */
const operatorSet = 17;

/**
 * A search's network as an ONNX file's bytes, in float32: `image` `[batch, channel, depth, height, width]` gives `logits`
 * `[batch, class, depth, height, width]`, for any batch and volume.
 */
export function encodeOnnx({ architecture, network, weights, run, cleaned }: Model): Uint8Array {
  const graph = createGraph(new Map(network.parameters.map(({ name }) => [name, weight(weights, name)])));
  addNetwork(graph, network, ports.input, ports.output);
  const size = ['depth', 'height', 'width'];
  const input = { name: ports.input, shape: ['batch', network.inputChannels, ...size] };
  const output = { name: ports.output, shape: ['batch', network.classes, ...size] };
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(Version.IR_VERSION_2021_7_30),
    opsetImport: [{ version: BigInt(operatorSet) }],
    producerName: 'ronasmis',
    producerVersion: VERSION,
    graph: finishGraph(graph, 'child', input, output),
    metadataProps: Object.entries(metadata(run, architecture, cleaned)).map(([key, value]) => ({
      key,
      value: JSON.stringify(value),
    })),
  });
  return toBinary(ModelProtoSchema, model);
}

/** What has to be known to prepare an image, to pass it and to read the labels, each value as JSON. docs/reference/model-files.md says what they are. */
function metadata(
  { network, normalisation, labels, orientation, spacing, recipe: { inference } }: RunRecord,
  architecture: Architecture,
  cleaned: readonly number[],
): Record<string, unknown> {
  const { tile_step, tile_weights, tile_standard_deviation, mirroring, interpolated } = inference;
  const { window, region } = looksOf(inference, architecture);
  return {
    version: VERSION,
    channels: network.input_channels,
    normalisation: normalisation ?? Array.from({ length: network.input_channels }, () => zScore),
    labels,
    inference: {
      ...(region && { region }),
      ...(window && { window, tile_step, tile_weights }),
      ...(window && tile_weights === 'gaussian' && { tile_standard_deviation }),
      mirroring,
      interpolated,
      cleaned_classes: cleaned,
    },
    // Runs from before scans were turned and resampled have none.
    ...(orientation !== undefined && { orientation }),
    ...(spacing !== undefined && { spacing }),
  };
}
