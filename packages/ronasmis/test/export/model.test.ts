import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { ChildArchitecture } from '../../src/architecture/architecture.ts';
import { VERSION } from '../../src/base/version.ts';
import { encodeOnnx } from '../../src/export/model.ts';
import { ModelProtoSchema, type ValueInfoProto } from '../../src/export/onnx_pb.ts';
import { nnunetRecipe } from '../../src/recipe/nnunet.ts';
import type { RunRecord } from '../../src/run/run-record.ts';
import { overlappedRecipe } from '../../src/systems/overlapped.ts';
import { predictingNames } from '../network/peer.ts';
import { macroChild, microChild, narrowModel } from './models.ts';

const decode = (settings: Partial<RunRecord> = {}, child: ChildArchitecture = macroChild, cleaned: number[] = []) =>
  fromBinary(ModelProtoSchema, encodeOnnx({ ...narrowModel(child, settings), cleaned }));

const metadataOf = (settings: Partial<RunRecord>, cleaned?: number[]) =>
  Object.fromEntries(
    decode(settings, macroChild, cleaned).metadataProps.map(({ key, value }) => [key, JSON.parse(value)]),
  );

describe('the metadata', () => {
  const labels = [0, 2, 5].map((value) => ({ value, name: `label "${value}"` }));
  const spacing: readonly [number, number, number] = [2.5, 0.8, 0.9];

  it('says how an image is prepared, what classes mean, and what wrote the file', () => {
    const ct = { kind: 'data_set' as const, low: -100, high: 240.5, mean: 70, deviation: 31 };
    const normalisation = [ct, { kind: 'z_score' as const }];
    const { depth, height, width } = macroChild.patch;
    expect(metadataOf({ labels, normalisation, orientation: 'LPS', spacing }, [2])).toEqual({
      version: VERSION,
      channels: 2,
      normalisation,
      labels,
      inference: {
        region: [depth, height, width],
        mirroring: false,
        interpolated: 'probabilities',
        cleaned_classes: [2],
      },
      spacing,
      orientation: 'LPS',
    });
  });

  it('says by which windows a scan is passed, where that is not as a whole', () => {
    const { depth, height, width } = macroChild.patch;
    expect(metadataOf({ recipe: nnunetRecipe }).inference).toEqual({
      window: [depth, height, width],
      tile_step: 0.5,
      tile_weights: 'gaussian',
      tile_standard_deviation: 1 / 8,
      mirroring: true,
      interpolated: 'logits',
      cleaned_classes: [],
    });
    expect(metadataOf({ recipe: overlappedRecipe }).inference).toEqual({
      window: [depth, height, width],
      tile_step: 0.5,
      tile_weights: 'even',
      mirroring: false,
      interpolated: 'probabilities',
      cleaned_classes: [],
    });
  });

  it('of a run from before there was a choice says that all channels are z-scored, and neither orientation nor spacing', () => {
    const found = metadataOf({ labels });
    expect(found.normalisation).toEqual([{ kind: 'z_score' }, { kind: 'z_score' }]);
    expect(found).not.toHaveProperty('orientation');
    expect(found).not.toHaveProperty('spacing');
  });
});

describe('the model', () => {
  const shapeOf = ({ type }: ValueInfoProto) =>
    type?.value.case === 'tensorType' ? type.value.value.shape?.dim.map(({ value }) => value.value) : undefined;

  it('takes an image and gives logits, of any batch and volume', () => {
    const { graph, opsetImport, irVersion, producerName } = decode();
    expect(graph?.input.map(({ name }) => name)).toEqual(['image']);
    expect(graph?.input.map(shapeOf)).toEqual([['batch', 2n, 'depth', 'height', 'width']]);
    expect(graph?.output.map(({ name }) => name)).toEqual(['logits']);
    expect(graph?.output.map(shapeOf)).toEqual([['batch', 3n, 'depth', 'height', 'width']]);
    expect([irVersion, opsetImport.map(({ version }) => version), producerName]).toEqual([8n, [17n], 'ronasmis']);
  });

  it.each([macroChild, microChild])('has the weights of the child alone, by their names: $space', (child) => {
    const { weights: all, network } = narrowModel(child);
    const weights = decode({}, child).graph?.initializer.filter(({ name }) => all.has(name)) ?? [];
    expect(weights.map(({ name }) => name).sort()).toEqual([...predictingNames(network)].sort());
    for (const { name, dims, rawData } of weights) {
      const expected = all.get(name);
      expect(dims.map(Number)).toEqual(expected?.shape);
      expect(new Float32Array(rawData.slice().buffer)).toEqual(expected?.toArray());
    }
  });
});
