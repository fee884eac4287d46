import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { agree, fusedExample } from './kernel-example.ts';
import { libtorchFolder, native } from './native.ts';
import type { Device } from './tensor.ts';

/** libnvrtc.so.13, or the name that PyTorch's own archives give it; not NVRTC's builtins, which it finds itself. */
const compilerName = /^libnvrtc(-[0-9a-f]+)?\.so\.1[23]$/;

function librariesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => compilerName.test(name))
    .map((name) => join(folder, name));
}

/**
 * Where NVRTC, NVIDIA's run-time compiler, may be, best first: what RONASMIS_NVRTC names, those that came with libtorch, which know
 * the same GPUs, and the system's.
 */
export function compilerCandidates(libtorch = libtorchFolder()): readonly string[] {
  const named = process.env.RONASMIS_NVRTC;
  const packages = join(libtorch, '..', 'nvidia');
  const parts = existsSync(packages) ? readdirSync(packages).map((part) => join(packages, part, 'lib')) : [];
  return [
    ...(named ? [named] : []),
    ...[join(libtorch, 'lib'), ...parts].flatMap(librariesIn),
    'libnvrtc.so.13',
    'libnvrtc.so.12',
  ];
}

/** Loads NVRTC. Returns why there is none, where that is so. */
export function loadKernelCompiler(): string | undefined {
  let reason: string | undefined;
  for (const candidate of compilerCandidates()) {
    try {
      native.loadKernelCompiler(candidate);
      return undefined;
    } catch (error) {
      // What the best of them lacks says most.
      reason ??= error instanceof Error ? error.message : String(error);
    }
  }
  return `NVRTC, the compiler of CUDA's libraries, cannot be loaded: ${reason}`;
}

type Preparation = { readonly ready: true } | { readonly ready: false; readonly reason: string };
let preparation: Preparation | undefined;

/**
 * Loads NVRTC and the driver, compiles the kernels for the GPU and lets it compute a small example, which must come out as on the
 * processor: once, and only where libtorch has a GPU.
 */
export function prepareCudaKernels(): Preparation {
  preparation ??= prepare();
  return preparation;
}

function prepare(): Preparation {
  const reason = loadKernelCompiler();
  if (reason !== undefined) return { ready: false, reason };
  try {
    native.prepareKernels('cuda:0');
    if (agree(fusedExample('cuda'), fusedExample('cpu'))) return { ready: true };
    return { ready: false, reason: 'they computed something other than the processor' };
  } catch (error) {
    return { ready: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Whether this package's fused operations run on a device: on a processor always, on NVIDIA's GPUs where their kernels can be
 * compiled.
 */
export function hasFusedKernels(device: Device): boolean {
  return device === 'cpu' || (device !== 'mps' && prepareCudaKernels().ready);
}
