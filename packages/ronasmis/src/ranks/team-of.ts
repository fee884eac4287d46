import { type Ranks, scope } from '@ronasmis/libtorch';
import type { Team } from './team.ts';

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
    averageGradients: (tensors, body) => ranks.averageGradients(tensors(), body),
  };
}
