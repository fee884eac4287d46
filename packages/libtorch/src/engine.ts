import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { prepareCudaKernels } from './kernels.ts';
import { availableMemoryBytes } from './machine.ts';
import { libtorchFolder, native } from './native.ts';
import type { Device } from './tensor.ts';

/** Units of the processor that multiply bfloat16 numbers; without AMX, float32 is as fast or faster. */
export type Bfloat16Units = 'amx' | 'avx512_bf16' | 'none';

export interface EngineDescription {
  /** libtorch's version. */
  readonly version: string;
  /** Where it is. */
  readonly folder: string;
  readonly cuda: {
    /** An NVIDIA driver is on this machine. */
    readonly driver: boolean;
    /** libtorch's GPU library is loaded and finds devices. */
    readonly loaded: boolean;
    readonly devices: number;
    /** Why the GPU is not used although there is a driver. */
    readonly reason?: string;
    /** The GPU runs this package's fused operations; otherwise libtorch's own. */
    readonly fusedKernels: boolean;
    /** Why it does not although the GPU is used. */
    readonly fusedKernelsReason?: string;
  };
  readonly mps: boolean;
  readonly cpu: {
    readonly name: string;
    readonly threads: number;
    readonly capability: string;
    readonly bf16: Bfloat16Units;
  };
}

function hasNvidiaDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0');
}

let cudaFailure: string | undefined;
let cudaTried = false;

/** Loads libtorch's GPU library where there is a driver: nothing else links it. To be called before the first operation. */
function loadCuda(): void {
  if (cudaTried || !hasNvidiaDriver()) return;
  cudaTried = true;
  const library = join(libtorchFolder(), 'lib', 'libtorch_cuda.so');
  if (!existsSync(library)) {
    cudaFailure = `${library} does not exist: this libtorch is built for the CPU alone`;
    return;
  }
  cudaFailure = native.loadLibrary(library) ?? undefined;
  if (cudaFailure !== undefined) return;
  if (native.deviceCount('cuda') === 0) cudaFailure = 'the driver offers no device';
  native.allowTf32();
}

function bfloat16Units(): Bfloat16Units {
  if (!existsSync('/proc/cpuinfo')) return 'none';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  if (flags.includes('amx_bf16')) return 'amx';
  return flags.includes('avx512_bf16') ? 'avx512_bf16' : 'none';
}

/**
 * The engine, the devices that it can use and what this machine's processor can do. Loads the GPU's library where there is one, and
 * compiles a first kernel for it.
 */
export function describeEngine(): EngineDescription {
  loadCuda();
  const devices = native.deviceCount('cuda');
  const kernels = devices > 0 ? prepareCudaKernels() : undefined;
  return {
    version: native.version(),
    folder: libtorchFolder(),
    cuda: {
      driver: hasNvidiaDriver(),
      loaded: devices > 0,
      devices,
      ...(cudaFailure === undefined ? {} : { reason: cudaFailure }),
      fusedKernels: kernels?.ready ?? false,
      ...(kernels === undefined || kernels.ready ? {} : { fusedKernelsReason: kernels.reason }),
    },
    mps: native.deviceCount('mps') > 0,
    cpu: {
      name: cpus()[0]?.model ?? 'unknown',
      threads: native.threads(),
      capability: native.processorCapability(),
      bf16: bfloat16Units(),
    },
  };
}

/** The most memory in use so far, in bytes: the device allocator's, or on a CPU the process's resident size. */
export function peakMemoryBytes(device: Device): number {
  return device === 'cpu' || device === 'mps' ? peakResidentBytes() : native.peakDeviceBytes(device);
}

function peakResidentBytes(): number {
  // What Linux counts as a process's `maxRSS` begins with that of the process which started it.
  if (process.platform === 'linux') {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}

/**
 * From now on {@link peakMemoryBytes} counts anew, from what is in use then.
 * @returns whether it does: outside Linux, the resident size of a process has one peak from its beginning to its end
 */
export function resetPeakMemoryBytes(device: Device): boolean {
  if (device !== 'cpu' && device !== 'mps') {
    native.resetPeakTensorBytes(device);
    return true;
  }
  try {
    // 5 sets the peak of the resident size to what it is (proc(5)).
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** Gives memory that is kept for later tensors back to the device, or on a CPU to the system. */
export function emptyCache(device: Device): void {
  native.emptyCache(device);
}

/** From now on {@link peakTensorBytes} counts anew. */
export function resetPeakTensorBytes(device: Device): void {
  native.resetPeakTensorBytes(device);
}

/**
 * The most bytes of tensors that were alive at once: of a GPU's allocator; on a CPU, of tensors of 64 KiB or more (Linux; 0 on other systems),
 * work space of operations included.
 */
export function peakTensorBytes(device: Device): number {
  return native.peakTensorBytes(device);
}

/**
 * What tensors on a CPU may take together (Linux), and the freed memory between them that the system has not got back; infinite for
 * no limit. An operation that would need more throws an error that {@link isOutOfMemory} tells.
 */
export function limitTensorBytes(bytes: number): void {
  native.limitTensorBytes(Math.min(bytes, Number.MAX_SAFE_INTEGER));
}

/** Whether an operation has thrown this because memory did not suffice: the device's, or what {@link limitTensorBytes} allows. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'OUT_OF_MEMORY';
}

/** Bytes that tensors on a device could take now: of a GPU's memory, or of the machine's or container's. */
export function freeMemoryBytes(device: Device): number {
  if (device !== 'cpu' && device !== 'mps') return native.freeDeviceBytes(device);
  return availableMemoryBytes();
}
