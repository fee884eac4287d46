// What a launcher starts: sums the numbers of all ranks, and prints the sum with the attempt. At the first one the last rank fails after the sum.
import { joinRanks, tensor } from '@ronasmis/libtorch';
import { rankOf } from '../../src/ranks/launcher.ts';

const rank = rankOf(process.env);
const ranks = joinRanks({ ...rank, meetingSeconds: 100, exchangeSeconds: 100 });
const sum = tensor(Float32Array.of(rank.rank + 1), [1]);
ranks.allReduce(sum);
const attempt = Number(process.env.TORCHELASTIC_RESTART_COUNT);
if (attempt === 0 && rank.rank === rank.size - 1) process.exit(7);
ranks.barrier();
ranks.leave();
console.log(JSON.stringify({ rank: rank.rank, local: [rank.localRank, rank.localSize], attempt, sum: sum.item() }));
