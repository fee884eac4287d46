import { exchange, native, type TensorArray } from './native.ts';

export type DataType = 'float32' | 'float64' | 'bfloat16' | 'float16' | 'int64' | 'int32' | 'int16' | 'uint8' | 'bool';
export type Device = 'cpu' | 'cuda' | 'mps' | `cuda:${number}`;
export type MemoryFormat = 'contiguous' | 'preserve' | 'channels_last' | 'channels_last_3d';

const dataTypes: ReadonlySet<string> = new Set<DataType>([
  'float32',
  'float64',
  'bfloat16',
  'float16',
  'int64',
  'int32',
  'int16',
  'uint8',
  'bool',
]);

function isDataType(name: string): name is DataType {
  return dataTypes.has(name);
}

function isDevice(name: string): name is Device {
  return name === 'cpu' || name === 'mps' || name === 'cuda' || name.startsWith('cuda:');
}

/** The tensors of the innermost open scope, which frees them when it ends; none: the garbage collector does. */
let open: Tensor[] | undefined;

/** A tensor outside every scope: its handle and what the garbage collector was told that it holds, in bytes. */
interface Unscoped {
  readonly handle: number;
  readonly bytes: number;
}

const backstop = new FinalizationRegistry<Unscoped>(({ handle, bytes }) => {
  releaseHandles([handle]);
  native.adjustExternalMemory(-bytes);
});

function releaseHandles(handles: readonly number[]): void {
  for (let start = 0; start < handles.length; start += exchange.length) {
    const part = handles.slice(start, start + exchange.length);
    exchange.set(part);
    native.release(part.length);
  }
}

/**
 * A tensor of libtorch. It lives until its scope ends (see {@link scope}), {@link Tensor.free} is called or, made outside
 * every scope, until the garbage collector finds it.
 */
export class Tensor {
  #handle: number;
  #unscoped: Unscoped | undefined;

  /** For the operations of this package: takes over a handle of the addon. */
  constructor(handle: number) {
    this.#handle = handle;
    if (open) open.push(this);
    else this.#watch();
  }

  #watch(): void {
    this.#unscoped = { handle: this.#handle, bytes: native.byteLength(this.#handle) };
    native.adjustExternalMemory(this.#unscoped.bytes);
    backstop.register(this, this.#unscoped, this);
  }

  /** The addon's number for this tensor. Throws where the tensor was freed. */
  get handle(): number {
    if (this.#handle < 0)
      throw new Error('This tensor was freed: it was used after its scope had ended or free() was called.');
    return this.#handle;
  }

  get freed(): boolean {
    return this.#handle < 0;
  }

  get shape(): readonly number[] {
    return native.shape(this.handle);
  }

  /** Distance between neighbours of each axis, in elements. */
  get strides(): readonly number[] {
    return native.strides(this.handle);
  }

  get dataType(): DataType {
    const name = native.dataType(this.handle);
    if (!isDataType(name)) throw new Error(`This tensor's data type ${name} has no counterpart in JavaScript.`);
    return name;
  }

  get device(): Device {
    const name = native.device(this.handle);
    if (!isDevice(name)) throw new Error(`This tensor lives on a device that is not known here: ${name}.`);
    return name;
  }

  /** Elements times their size. */
  get byteLength(): number {
    return native.byteLength(this.handle);
  }

  get requiresGradient(): boolean {
    return native.requiresGradient(this.handle);
  }

  set requiresGradient(required: boolean) {
    native.setRequiresGradient(this.handle, required);
  }

  /** What {@link Tensor.backward} has accumulated here, as a tensor of its own that shares the memory; undefined before. */
  get gradient(): Tensor | undefined {
    const handle = native.gradient(this.handle);
    return handle === null ? undefined : new Tensor(handle);
  }

  /** Has another tensor of the same shape, data type and device for a gradient, and shares its memory. */
  set gradient(gradient: Tensor) {
    native.setGradient(this.handle, gradient.handle);
  }

  clearGradient(): void {
    native.clearGradient(this.handle);
  }

  /** Adds the gradients of this scalar to all leaves that it was computed from. */
  backward(options: { readonly keepGraph?: boolean } = {}): void {
    native.backward(this.handle, options.keepGraph ?? false);
  }

  /** The value of a tensor with one element. */
  item(): number {
    return native.item(this.handle);
  }

  /** The elements in row-major order, copied once; bfloat16 and float16 have no array in JavaScript: convert first. */
  toArray(): TensorArray {
    const length = this.shape.reduce((product, size) => product * size, 1);
    const array = emptyArray(this.dataType, length);
    native.read(this.handle, array);
    return array;
  }

  /** The elements as numbers in row-major order: for small tensors. */
  toNumbers(): number[] {
    return Array.from(this.toArray(), Number);
  }

  free(): void {
    const handle = this.handle;
    this.#handle = -1;
    releaseHandles([handle]);
    this.#forget();
  }

  #forget(): void {
    if (!this.#unscoped) return;
    backstop.unregister(this);
    native.adjustExternalMemory(-this.#unscoped.bytes);
    this.#unscoped = undefined;
  }

  /** Frees what is left of a scope's tensors in one call, but those in `kept`, which move to the scope around it. */
  static settle(tensors: readonly Tensor[], kept: ReadonlySet<Tensor>, outer: Tensor[] | undefined): void {
    const handles: number[] = [];
    for (const tensor of tensors) {
      if (tensor.#handle < 0) continue;
      if (kept.has(tensor)) {
        if (outer) outer.push(tensor);
        else tensor.#watch();
        continue;
      }
      handles.push(tensor.#handle);
      tensor.#handle = -1;
    }
    releaseHandles(handles);
  }
}

/** A new array for the elements of a tensor of this type. Throws where JavaScript has none. */
export function emptyArray(dataType: DataType, length: number): TensorArray {
  switch (dataType) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int16':
      return new Int16Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    case 'bfloat16':
    case 'float16':
      throw new Error(`JavaScript has no array for ${dataType}: convert the tensor to float32 first.`);
  }
}

/**
 * Gives `value` back, but throws where it is a Promise: what a scope or a mode does would be undone before it settles.
 */
export function refusePromise<Value>(value: Value): Value {
  if (!(value instanceof Promise)) return value;
  // Its failure, on tensors that are freed by then, would end the process; the error thrown here says what is wrong.
  value.catch(() => {});
  throw new Error('A scope or mode cannot return a Promise: it would end before that settles. Open it between awaits.');
}

/** What a scope may return: tensors, and arrays and plain objects of them, at any depth, beside other values. */
function collect(value: unknown, found: Set<Tensor>): void {
  if (value instanceof Tensor) found.add(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (value instanceof Map) for (const item of value.values()) collect(item, found);
  else if (value instanceof Promise) refusePromise(value);
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collect(item, found);
  }
}

/**
 * Runs `body` and frees every tensor made in it except those that it returns (also inside arrays, Maps and plain objects),
 * which then belong to the scope around it. Throws, after freeing, where `body` throws or returns a Promise.
 *
 * @example const loss = scope(() => mean(square(sub(prediction, target))));
 */
export function scope<Result>(body: () => Result): Result {
  const outer = open;
  const tensors: Tensor[] = [];
  const kept = new Set<Tensor>();
  open = tensors;
  try {
    const result = body();
    collect(result, kept);
    return result;
  } catch (error) {
    kept.clear();
    throw error;
  } finally {
    open = outer;
    Tensor.settle(tensors, kept, outer);
  }
}

/**
 * As {@link scope}, but what `body` returns belongs to no scope, also where one is open: it lives until {@link Tensor.free} or
 * until the garbage collector finds it. For what outlasts a training step, such as weights and an optimiser's state.
 */
export function keep<Result>(body: () => Result): Result {
  const outer = open;
  open = undefined;
  try {
    return scope(body);
  } finally {
    open = outer;
  }
}

/**
 * A tensor on the CPU with a copy of `array`, or with `share` a view of the array's own memory (also a shared one),
 * which must then not be transferred to another thread or resized while the tensor lives.
 *
 * @param shape sizes, outermost first; their product is the array's length, else an error says so.
 */
export function tensor(
  array: TensorArray,
  shape: readonly number[],
  options: { readonly share?: boolean } = {},
): Tensor {
  return new Tensor(native.fromArray(array, shape, options.share ?? false));
}

/** Tensors and bytes (each storage once) that JavaScript keeps alive now. */
export function memory(): { readonly tensors: number; readonly bytes: number } {
  return { tensors: native.liveTensors(), bytes: native.liveBytes() };
}
