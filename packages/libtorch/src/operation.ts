import { exchange, native } from './native.ts';
import { Tensor } from './tensor.ts';

/** What an operation can be given; its schema decides what is right, and says which argument is not. */
export type Value =
  | Tensor
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly (Tensor | number | boolean | null)[];

/** What comes back: nothing, a value, or a list of values where there are several. */
export type Returned = Tensor | number | boolean | null | readonly Returned[];

// The same numbers stand in native/call.cc.
const none = 0;
const omitted = 1;
const tensorTag = 2;
const numberTag = 3;
const booleanTag = 4;
const textTag = 5;
const listTag = 6;

function put(at: number, tag: number, payload: number): number {
  if (at + 2 > exchange.length) throw new Error(`A call can carry ${exchange.length / 2} values at most.`);
  exchange[at] = tag;
  exchange[at + 1] = payload;
  return at + 2;
}

function writeItem(value: Tensor | number | boolean | null, at: number): number {
  if (typeof value === 'number') return put(at, numberTag, value);
  if (value instanceof Tensor) return put(at, tensorTag, value.handle);
  if (typeof value === 'boolean') return put(at, booleanTag, value ? 1 : 0);
  if (value === null) {
    exchange[at] = none;
    return at + 1;
  }
  throw new TypeError(`An operation cannot be given a list with a ${typeof value}.`);
}

function write(value: Value, at: number, strings: string[]): number {
  if (value === undefined) {
    exchange[at] = omitted;
    return at + 1;
  }
  if (typeof value === 'string') {
    strings.push(value);
    return put(at, textTag, strings.length - 1);
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Tensor)) {
    if (!Array.isArray(value))
      throw new TypeError('An operation cannot be given an object that is neither a tensor nor a list.');
    let next = put(at, listTag, value.length);
    for (let i = 0; i < value.length; i += 1) next = writeItem(value[i], next);
    return next;
  }
  return writeItem(value, at);
}

interface Cursor {
  at: number;
}

function readValue(cursor: Cursor): Returned {
  const tag = exchange[cursor.at];
  if (tag === none) {
    cursor.at += 1;
    return null;
  }
  const payload = exchange[cursor.at + 1];
  cursor.at += 2;
  if (tag === tensorTag) return new Tensor(payload);
  if (tag === numberTag) return payload;
  if (tag === booleanTag) return payload !== 0;
  return Array.from({ length: payload }, () => readValue(cursor));
}

const noStrings: string[] = [];

function invoke(id: number, values: readonly Value[]): number {
  let words = 0;
  let strings = noStrings;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (typeof value === 'string' && strings === noStrings) strings = [];
    words = write(value, words, strings);
  }
  return strings === noStrings ? native.call(id, words) : native.call(id, words, ...strings);
}

function result(words: number): Returned {
  // The common case, one tensor, without a cursor.
  if (words === 2 && exchange[0] === tensorTag) return new Tensor(exchange[1]);
  if (words === 0) return null;
  const cursor = { at: 0 };
  const values: Returned[] = [];
  while (cursor.at < words) values.push(readValue(cursor));
  return values.length === 1 ? values[0] : values;
}

/** Numbers of the operations that were looked up, by name and overload. */
const known = new Map<string, number>();

function lookUp(name: string, overload: string): number {
  const key = `${name}.${overload}`;
  const found = known.get(key) ?? native.find(name, overload);
  known.set(key, found);
  return found;
}

/**
 * Any registered operation, called untyped: `call('aten::add', 'Tensor', a, b)`. An operation that returns one of its own
 * arguments (in place, or into `out`) returns null: the caller has that tensor already.
 *
 * Throws an error that names the operation, the shapes it was given and the cause.
 */
export function call(name: string, overload: string, ...values: readonly Value[]): Returned {
  return result(invoke(lookUp(name, overload), values));
}

/** The schema of an operation as libtorch writes it. Throws where there is no such operation. */
export function schema(name: string, overload: string): string {
  return native.schema(lookUp(name, overload));
}

/** What an operation is given, as its schema orders it; undefined for what is left out. */
type InOrder<Given extends readonly unknown[]> = (...given: Given) => readonly Value[];

/** A typed face of one operation, for the generated declarations; looked up when it is first called. */
export function tensorOperation<Given extends readonly unknown[]>(
  name: string,
  overload: string,
  inOrder: InOrder<Given>,
): (...given: Given) => Tensor {
  let id = -1;
  return (...given) => {
    if (id < 0) id = lookUp(name, overload);
    const words = invoke(id, inOrder(...given));
    if (words === 2 && exchange[0] === tensorTag) return new Tensor(exchange[1]);
    throw new Error(`${name} returned something other than one tensor.`);
  };
}

/** As {@link tensorOperation}, for operations that change their arguments and return nothing new. */
export function voidOperation<Given extends readonly unknown[]>(
  name: string,
  overload: string,
  inOrder: InOrder<Given>,
): (...given: Given) => void {
  let id = -1;
  return (...given) => {
    if (id < 0) id = lookUp(name, overload);
    invoke(id, inOrder(...given));
  };
}

/** As {@link tensorOperation}, for operations that return several tensors, or a list of them. */
export function tensorsOperation<Given extends readonly unknown[]>(
  name: string,
  overload: string,
  inOrder: InOrder<Given>,
): (...given: Given) => readonly Tensor[] {
  let id = -1;
  return (...given) => {
    if (id < 0) id = lookUp(name, overload);
    const returned = result(invoke(id, inOrder(...given)));
    const tensors = Array.isArray(returned) ? returned.flat() : [returned];
    return tensors.filter((item) => item instanceof Tensor);
  };
}
