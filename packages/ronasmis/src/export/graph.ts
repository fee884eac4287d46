import { create } from '@bufbuild/protobuf';
import type { Tensor } from '@ronasmis/libtorch';
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './onnx_pb.ts';

/** An ONNX graph while it grows. Values are known by their names, which operations give and take. */
export interface Graph {
  readonly nodes: NodeProto[];
  /** Weights and constants, by name. */
  readonly initializers: Map<string, TensorProto>;
}

/** The name of an image, of features, weights or numbers in the graph. */
export type Value = string;

/** An attribute of an operation; ONNX tells whole numbers from others by type. */
export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly text: string };

/** A graph that has these float32 weights and no operation yet. */
export function createGraph(weights: ReadonlyMap<string, Tensor>): Graph {
  const initializers = Array.from(weights, ([name, weight]): [string, TensorProto] => [
    name,
    tensorProto(name, DataType.FLOAT, weight.shape, weight.toArray()),
  ]);
  return { nodes: [], initializers: new Map(initializers) };
}

/** Adds an operation of ONNX's own set; gives its one result. */
export function apply(
  { nodes }: Graph,
  opType: string,
  inputs: readonly Value[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Value {
  const output = `${opType}_${nodes.length}`;
  const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeFields(value) }));
  nodes.push(create(NodeProtoSchema, { opType, name: output, input: [...inputs], output: [output], attribute }));
  return output;
}

function attributeFields(attribute: Attribute) {
  if ('int' in attribute) return { type: AttributeType.INT, i: BigInt(attribute.int) };
  if ('ints' in attribute) return { type: AttributeType.INTS, ints: attribute.ints.map(BigInt) };
  if ('float' in attribute) return { type: AttributeType.FLOAT, f: attribute.float };
  return { type: AttributeType.STRING, s: new TextEncoder().encode(attribute.text) };
}

/** Names the result of the last operation, which no other may take in. */
export function renameLast({ nodes }: Graph, name: Value): void {
  const last = nodes[nodes.length - 1];
  last.name = name;
  last.output = [name];
}

/** A list of whole numbers as a value of the graph (int64). */
export function wholeNumbers(graph: Graph, values: readonly number[]): Value {
  const name = `int64 ${values.join(' ')}`;
  graph.initializers.set(name, tensorProto(name, DataType.INT64, [values.length], BigInt64Array.from(values, BigInt)));
  return name;
}

/** A list of numbers as a value of the graph (float32). */
export function numbers(graph: Graph, values: readonly number[]): Value {
  const name = `float32 ${values.join(' ')}`;
  graph.initializers.set(name, tensorProto(name, DataType.FLOAT, [values.length], Float32Array.from(values)));
  return name;
}

/** The values' bytes are little-endian in ONNX, as they are on every machine that libtorch is built for. */
function tensorProto(
  name: string,
  dataType: DataType,
  shape: readonly number[],
  { buffer, byteOffset, byteLength }: ArrayBufferView,
): TensorProto {
  const rawData = new Uint8Array(buffer, byteOffset, byteLength);
  return create(TensorProtoSchema, { name, dataType, dims: shape.map(BigInt), rawData });
}

/** A value that enters or leaves a graph: float32 `shape`, where a word stands for an extent that is free. */
export interface Port {
  readonly name: Value;
  readonly shape: readonly (number | string)[];
}

/** The whole graph, ready to be a model's. */
export function finishGraph({ nodes, initializers }: Graph, name: string, input: Port, output: Port): GraphProto {
  const names = [...initializers.keys(), input.name, ...nodes.flatMap((node) => node.output)];
  const twice = names.find((each, at) => names.indexOf(each) < at);
  if (twice !== undefined) throw new Error(`'${twice}' is a weight and a value of the ONNX graph: rename the weight.`);
  return create(GraphProtoSchema, {
    name,
    node: nodes,
    initializer: [...initializers.values()],
    input: [valueInfo(input)],
    output: [valueInfo(output)],
  });
}

function valueInfo({ name, shape }: Port) {
  const dim = shape.map((extent) => ({
    value:
      typeof extent === 'number'
        ? { case: 'dimValue' as const, value: BigInt(extent) }
        : { case: 'dimParam' as const, value: extent },
  }));
  const tensorType = { elemType: DataType.FLOAT, shape: { dim } };
  return { name, type: { value: { case: 'tensorType' as const, value: tensorType } } };
}
