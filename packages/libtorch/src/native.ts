import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { addonFile, build, LoadError, prepareThreads } from './loading.ts';

/** The arrays that a tensor is made from and read into. */
export type TensorArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Uint8Array;

/** What the addon exports; native/*.cc says what each does. A tensor is a number here: its handle. */
interface Native {
  find(name: string, overload: string): number;
  schema(operation: number): string;
  share(exchange: Float64Array): void;
  call(operation: number, words: number, ...strings: readonly string[]): number;
  fromArray(array: TensorArray, shape: readonly number[], share: boolean): number;
  read(handle: number, array: TensorArray): void;
  shape(handle: number): readonly number[];
  strides(handle: number): readonly number[];
  dataType(handle: number): string;
  device(handle: number): string;
  byteLength(handle: number): number;
  item(handle: number): number;
  requiresGradient(handle: number): boolean;
  setRequiresGradient(handle: number, required: boolean): void;
  gradient(handle: number): number | null;
  setGradient(handle: number, gradient: number): void;
  clearGradient(handle: number): void;
  backward(handle: number, keepGraph: boolean): void;
  release(count: number): void;
  liveTensors(): number;
  liveBytes(): number;
  adjustExternalMemory(bytes: number): number;
  setGradientMode(enabled: boolean): boolean;
  enterAutocast(deviceType: string, dataType: string): string | null;
  leaveAutocast(deviceType: string, before: string | null): void;
  setThreads(threads: number): void;
  threads(): number;
  seed(seed: number): void;
  loadLibrary(path: string): string | null;
  deviceCount(deviceType: string): number;
  peakDeviceBytes(device: string): number;
  peakTensorBytes(device: string): number;
  resetPeakTensorBytes(device: string): void;
  limitTensorBytes(bytes: number): void;
  freeDeviceBytes(device: string): number;
  emptyCache(device: string): void;
  processorCapability(): string;
  loadKernelCompiler(library: string): void;
  prepareKernels(device: string): void;
  compileKernels(capability: number): number;
  emulateKernels(library: string): void;
  allowTf32(): void;
  joinRanks(
    host: string,
    port: number,
    rank: number,
    size: number,
    launcherServes: boolean,
    name: string,
    meetingSeconds: number,
    exchangeSeconds: number,
  ): void;
  leaveRanks(name: string): void;
  beginAveraging(name: string, count: number, bucketBytes: number): void;
  endAveraging(name: string): void;
  /** Ranks that do not say within so many seconds that they are there; null where the meeting point is gone. */
  silentRanks(name: string, seconds: number): readonly number[] | null;
  version(): string;
}

/** Where set-up found libtorch: written beside the addon when it was built. */
export function libtorchFolder(): string {
  const found: unknown = JSON.parse(readFileSync(new URL('libtorch.json', build), 'utf8'));
  if (typeof found === 'object' && found !== null && 'folder' in found && typeof found.folder === 'string') {
    return found.folder;
  }
  throw new Error(`${fileURLToPath(new URL('libtorch.json', build))} does not name a folder. Run 'npm run setup'.`);
}

/** Words through which a call's arguments and results pass; both sides see this memory. */
export const exchange = new Float64Array(1 << 16);

/**
 * The addon's functions. It is loaded when the first of them is looked up, since that takes a quarter of a second in which a program can
 * already read its files; from then on this is the addon itself.
 */
export let native: Native = new Proxy<Native>(Object.create(null), {
  get: (_, name: keyof Native) => {
    native = load();
    return native[name];
  },
});

function load(): Native {
  prepareThreads();
  const loaded = requireAddon();
  loaded.share(exchange);
  return loaded;
}

function requireAddon(): Native {
  try {
    return createRequire(import.meta.url)(addonFile);
  } catch (cause) {
    throw new LoadError(cause);
  }
}
