import { expect } from 'vitest';
import { setThreads, threads } from '../src/index.ts';

/** Largest difference, relative to values above 1. */
export function largestDifference(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  return ours.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - theirs[i]) / (1 + Math.abs(theirs[i]))),
    0,
  );
}

export function meanDifference(ours: readonly number[], theirs: readonly number[]): number {
  return ours.reduce((sum, value, i) => sum + Math.abs(value - theirs[i]), 0) / ours.length;
}

export function withThreads<Result>(count: number, body: () => Result): Result {
  const before = threads();
  setThreads(count);
  try {
    return body();
  } finally {
    setThreads(before);
  }
}
