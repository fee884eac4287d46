import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mean } from '../base/statistics.ts';
import type { ComputeDevice } from '../engine/device.ts';

/** Measures what the machine uses from its opening to its closing. */
export interface EnergyMeter {
  /** Joules so far, of everything that runs on the machine; null where it does not tell. */
  close(): Promise<number | null>;
}

/**
 * The processor's packages by Linux's RAPL counters and, where a search runs on it, the first NVIDIA GPU by the power that nvidia-smi
 * says. Null where one of them does not tell, as RAPL doesn't to all but root on most systems: half of the truth would mislead.
 */
export async function openEnergyMeter(device: ComputeDevice): Promise<EnergyMeter> {
  const meters = [await openPackages('/sys/class/powercap'), ...(device === 'cuda' ? [openGpu()] : [])];
  return {
    close: async () => {
      const joules = await Promise.all(meters.map((meter) => meter.close()));
      return joules.reduce((sum, part) => (sum === null || part === null ? null : sum + part), 0);
    },
  };
}

/** Counters wrap after some minutes to hours, so they are read in between. */
const readEveryMilliseconds = 10_000;

/** The packages' counters (`intel-rapl:0`, ...) in a folder laid out as Linux's powercap; AMD's processors have the same names. */
export async function openPackages(folder: string): Promise<EnergyMeter> {
  const names = await readdir(folder).catch(() => []);
  const packages = names.filter((name) => /^intel-rapl:\d+$/.test(name)).map((name) => join(folder, name));
  const ranges = await Promise.all(packages.map((path) => readCounter(path, 'max_energy_range_uj')));
  const counters = () => Promise.all(packages.map((path) => readCounter(path, 'energy_uj')));
  let last = await counters();
  let microjoules = packages.length === 0 ? Number.NaN : 0;
  const read = async (): Promise<void> => {
    const now = await counters();
    // One that is smaller than before has wrapped.
    microjoules += now.reduce((sum, value, i) => sum + value - last[i] + (value < last[i] ? ranges[i] : 0), 0);
    last = now;
  };
  let reading = Promise.resolve();
  const timer = setInterval(() => {
    reading = reading.then(read);
  }, readEveryMilliseconds);
  return {
    close: async () => {
      clearInterval(timer);
      await reading.then(read);
      return Number.isFinite(microjoules) ? microjoules / 1e6 : null;
    },
  };
}

/** A counter in microjoules; not a number where it can't be read. */
async function readCounter(folder: string, name: string): Promise<number> {
  return Number.parseInt(await readFile(join(folder, name), 'utf8').catch(() => ''), 10);
}

/** The mean of the power that nvidia-smi says twice a second, times the time. */
function openGpu(): EnergyMeter {
  const started = performance.now();
  const query = ['--id=0', '--query-gpu=power.draw', '--format=csv,noheader,nounits', '--loop-ms=500'];
  const child = spawn('nvidia-smi', query, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()).on('error', () => resolve()));
  return {
    close: async () => {
      child.kill();
      await ended;
      const seconds = (performance.now() - started) / 1000;
      return joulesOf(text, seconds);
    },
  };
}

/** Joules from lines of watts, each as often as the others; null where a GPU does not tell its power. */
export function joulesOf(watts: string, seconds: number): number | null {
  // The last line may have been cut short.
  const values = watts.split('\n').slice(0, -1).map(Number);
  const power = mean(values);
  return Number.isFinite(power) ? power * seconds : null;
}
