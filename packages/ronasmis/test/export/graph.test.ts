import { create, toBinary } from '@bufbuild/protobuf';
import { tensor } from '@ronasmis/libtorch';
import { expect, it } from 'vitest';
import { loadRuntime } from '../../src/export/check.ts';
import { apply, createGraph, finishGraph, numbers, renameLast, wholeNumbers } from '../../src/export/graph.ts';
import { ModelProtoSchema } from '../../src/export/onnx_pb.ts';

const { InferenceSession, Tensor } = await loadRuntime();

it('operations with attributes of every kind, weights and constants are what ONNX Runtime takes them for', async () => {
  const graph = createGraph(new Map([['weight', tensor(Float32Array.of(10, 20, 30), [1, 3])]]));
  const turned = apply(graph, 'Transpose', ['image'], { perm: { ints: [1, 0] } });
  const weighted = apply(graph, 'Mul', [turned, 'weight']);
  const leaky = apply(graph, 'LeakyRelu', [weighted], { alpha: { float: 0.5 } });
  const shifted = apply(graph, 'Add', [leaky, numbers(graph, [0.25])]);
  const padded = apply(graph, 'Pad', [shifted, wholeNumbers(graph, [0, 1, 0, 0])], { mode: { text: 'reflect' } });
  apply(graph, 'CumSum', [padded, wholeNumbers(graph, [1])], { reverse: { int: 1 } });
  renameLast(graph, 'result');
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: finishGraph(graph, 'g', { name: 'image', shape: [3, 'columns'] }, { name: 'result', shape: ['columns', 4] }),
  });
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, proto));
  // Rows of the image: 1 -1, 2 -2, 3 -3.
  const image = new Tensor('float32', Float32Array.of(1, -1, 2, -2, 3, -3), [3, 2]);
  const { result } = await session.run({ image });
  expect(result.dims).toEqual([2, 4]);
  // Turned, weighted, halved where negative, and shifted: 10.25 40.25 90.25 and -4.75 -19.75 -44.75; then mirrored to the left, and summed from the right.
  expect([...Float32Array.from(result.data, Number)]).toEqual([181, 140.75, 130.5, 90.25, -89, -69.25, -64.5, -44.75]);
  await session.release();
});
