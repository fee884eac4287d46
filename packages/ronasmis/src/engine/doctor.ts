import type { EngineDescription } from '@ronasmis/libtorch';
import { availableMemoryBytes, availableProcessors, machineMemoryBytes } from '@ronasmis/libtorch/machine';
import { isLoadError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { type ComputeDevice, chooseDevice, type Precision } from './device.ts';
import type { PrecisionTimings } from './precision.ts';

/** Something missing or slower than it could be, as a sentence with the fix. */
export type Finding = { readonly severity: 'error' | 'warning'; readonly message: string };

/** What RONASMIS finds on this machine. */
export type Diagnosis = {
  /** A search can run here. */
  readonly ready: boolean;
  readonly ronasmis: string;
  readonly node: string;
  readonly platform: string;
  /** Cores and memory are those that this process may use: fewer in a container than the machine has. */
  readonly cores: number;
  readonly memory_bytes: number;
  readonly free_memory_bytes: number;
  readonly engine: EngineDescription | null;
  /** What `--device auto` and `--precision auto` stand for here. */
  readonly device: ComputeDevice | null;
  readonly precision: Precision | null;
  /** Seconds of a training block in each, as it was measured once on this machine; what `precision` is chosen by. */
  readonly precision_seconds: PrecisionTimings | null;
  readonly findings: readonly Finding[];
};

/** Below this much memory, in bytes, even small scans are likely to run out of it. */
const LITTLE_MEMORY = 4 * 2 ** 30;

/** Looks at the machine and the engine. Never throws for what is missing: that is a finding. */
export async function diagnose(): Promise<Diagnosis> {
  const loaded = await loadEngine();
  const findings = [...checkMachine(), ...(loaded.kind === 'missing' ? [loaded.finding] : checkEngine(loaded.engine))];
  return {
    ready: findings.every(({ severity }) => severity !== 'error'),
    ronasmis: VERSION,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores: availableProcessors(),
    memory_bytes: machineMemoryBytes(),
    free_memory_bytes: availableMemoryBytes(),
    engine: loaded.kind === 'missing' ? null : loaded.engine,
    device: loaded.kind === 'missing' ? null : loaded.device,
    precision: loaded.kind === 'missing' ? null : loaded.precision,
    precision_seconds: loaded.kind === 'missing' ? null : loaded.timings,
    findings,
  };
}

type Loaded =
  | {
      readonly kind: 'loaded';
      readonly engine: EngineDescription;
      readonly device: ComputeDevice;
      readonly precision: Precision;
      readonly timings: PrecisionTimings;
    }
  | { readonly kind: 'missing'; readonly finding: Finding };

async function loadEngine(): Promise<Loaded> {
  try {
    const { describeEngine } = await import('@ronasmis/libtorch');
    const { fasterPrecision, precisionTimings } = await import('./precision.ts');
    const engine = describeEngine();
    const device = chooseDevice('auto', engine);
    const timings = await precisionTimings(device, engine);
    return { kind: 'loaded', engine, device, precision: fasterPrecision(timings), timings };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = isLoadError(error)
      ? reason
      : `libtorch cannot be used (${reason}): run "npm run setup" in the checkout.`;
    return { kind: 'missing', finding: { severity: 'error', message } };
  }
}

/** What the machine itself lacks. */
function checkMachine(): readonly Finding[] {
  const findings: Finding[] = [];
  if (Number(process.versions.node.split('.')[0]) < 20) {
    findings.push({
      severity: 'error',
      message: `Node ${process.versions.node} is too old: install Node 20 or newer.`,
    });
  }
  if (machineMemoryBytes() < LITTLE_MEMORY) {
    const message = 'There is less than 4 GiB of memory: search on small scans only, or take a larger machine.';
    findings.push({ severity: 'warning', message });
  }
  return findings;
}

/** What the engine leaves unused or can't do fast. */
export function checkEngine({ cuda, mps, cpu }: EngineDescription): readonly Finding[] {
  const findings: Finding[] = [];
  if (cuda.driver && !cuda.loaded) {
    const reason = cuda.reason === undefined ? '' : ` (${cuda.reason})`;
    findings.push({
      severity: 'warning',
      message:
        `THE GPU IS NOT USED although an NVIDIA driver is installed${reason}: ` +
        'run "npm run setup" again for a libtorch with CUDA, or name one in RONASMIS_LIBTORCH.',
    });
  }
  if (cuda.loaded && !cuda.fusedKernels) {
    const reason = cuda.fusedKernelsReason === undefined ? '' : ` (${cuda.fusedKernelsReason})`;
    findings.push({
      severity: 'warning',
      message:
        `The GPU is used without this program's own kernels, so slower than it could be: they cannot be compiled for it${reason}. ` +
        'Run "npm run setup" again for CUDA libraries with NVRTC, or name its library in RONASMIS_NVRTC.',
    });
  }
  if (!cuda.loaded && !mps && cpu.bf16 !== 'amx') {
    findings.push({
      severity: 'warning',
      message:
        'There is no GPU and the processor has no AMX, so training is several times slower: give the search more --time.',
    });
  }
  return findings;
}
