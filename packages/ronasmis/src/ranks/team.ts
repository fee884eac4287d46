import type { Tensor } from '@ronasmis/libtorch';

/**
 * The processes that train one network together, as the parts of a run see them; of a run in one process, that one alone ({@link alone}).
 * Every function but `share` has to be called by all of them, in the same order: each waits for the others. Throws a RankError where one has ended.
 */
export interface Team {
  /** Which of them this process is, from 0. */
  readonly rank: number;
  readonly size: number;
  /** Whether it is the one that decides and writes. */
  readonly isFirst: boolean;
  /** Of these, those that are this process's to do. */
  share<Item>(items: readonly Item[]): readonly Item[];
  /** What the first one makes of it, as JSON has it; nobody else is asked. */
  fromFirst<Value>(make: () => Value): Value;
  /** What each has, as JSON has it, in their order. */
  gather<Value>(value: Value): readonly Value[];
  /** Gives the tensors of all the values of the first one's. */
  copyFirst(tensors: Iterable<Tensor>): void;
  /** Puts the sum over all into the tensor of each. */
  sum(tensor: Tensor): void;
  /** Gives these tensors the mean over all of the gradients that `body` has made, and what `body` gives; one without a gradient counts as 0. */
  averageGradients<Result>(tensors: () => readonly Tensor[], body: () => Result): Result;
}

/** A run in one process. */
export const alone: Team = {
  rank: 0,
  size: 1,
  isFirst: true,
  share: (items) => items,
  fromFirst: (make) => make(),
  gather: (value) => [value],
  copyFirst: () => {},
  sum: () => {},
  averageGradients: (_, body) => body(),
};
