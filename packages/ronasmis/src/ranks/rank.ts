/** Which of the processes that train one network together this one is, and where they meet. */
export interface Rank {
  /** From 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** Which of those on its own machine it is, from 0: it takes the GPU of this number. */
  readonly localRank: number;
  /** How many are on its machine; null where the launcher does not say. */
  readonly localSize: number | null;
  /** Name or address of the machine where the meeting point is served. */
  readonly host: string;
  readonly port: number;
  /** Who serves it. */
  readonly servedBy: 'rank 0' | 'launcher';
  /** The run's: what a meeting point tells groups of ranks apart by. */
  readonly name: string;
}
