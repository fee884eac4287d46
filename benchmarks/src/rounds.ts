import { median } from './statistics.ts';

/** One repetition: its seconds. */
export type Repetition = () => number | Promise<number>;

/**
 * Medians of two that take turns, so that a change of the machine's clock meets both. The first round of each warms up and
 * counts nothing.
 */
export async function takeTurns(
  rounds: number,
  ours: Repetition,
  theirs: Repetition,
): Promise<{ ours: number; theirs: number }> {
  const times: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const [here, there] = [await ours(), await theirs()];
    if (round === 0) continue;
    times.ours.push(here);
    times.theirs.push(there);
  }
  return { ours: median(times.ours), theirs: median(times.theirs) };
}

/** Seconds of one run of `work`. */
export function timed(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

/** Seconds until what `work` promises. */
export async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
