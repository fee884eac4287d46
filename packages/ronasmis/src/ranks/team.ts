import { averageGradients, type Ranks, scope, type Tensor } from '@ronasmis/libtorch';

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
  /** Gives these tensors the mean over all of their gradients; one without a gradient counts as 0. */
  averageGradients(tensors: readonly Tensor[]): void;
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
  averageGradients: () => {},
};

/** The team of ranks that have met. */
export function teamOf(ranks: Ranks): Team {
  const { rank, size } = ranks;
  const isFirst = rank === 0;
  const exchange = (text: string): readonly string[] =>
    ranks.allGatherBytes(Buffer.from(text)).map((bytes) => Buffer.from(bytes).toString());
  return {
    rank,
    size,
    isFirst,
    share: (items) => items.filter((_, at) => at % size === rank),
    fromFirst: (make) => {
      const [text] = exchange(isFirst ? JSON.stringify(make()) : '');
      return JSON.parse(text);
    },
    gather: (value) => exchange(JSON.stringify(value)).map((text) => JSON.parse(text)),
    copyFirst: (tensors) => {
      for (const tensor of tensors) scope(() => ranks.broadcast(tensor, 0));
    },
    sum: (tensor) => ranks.allReduce(tensor),
    averageGradients: (tensors) => averageGradients(ranks, tensors),
  };
}
