import { add, noGradient, scope, setThreads, tensor, threads } from '@ronasmis/libtorch';
import { type Bench, pythonWith } from './bench.ts';
import { openPeer, withPeer } from './peer.ts';
import { takeTurns, timed } from './rounds.ts';
import { type Row, timeRow } from './row.ts';

const rounds = 7;
const calls = 200_000;

/** What one call of a tiny operation costs, here and in Python. */
export async function call(bench: Bench): Promise<readonly Row[]> {
  const python = pythonWith(bench, 'torch', "the bridge's call");
  if (!python) return [];
  const before = threads();
  setThreads(1);
  try {
    const times = await withPeer(openPeer(python, 'call.py', { calls }), (peer) =>
      takeTurns(
        rounds,
        () => timed(addOften) / calls,
        async () => (await peer.repeat()) / calls,
      ),
    );
    return [timeRow('a call of a tiny add', 'PyTorch in Python', times, { atMost: 1 })];
  } finally {
    setThreads(before);
  }
}

/** Additions of two tensors with four elements, the ends of their scopes included. */
function addOften(): void {
  const a = tensor(new Float32Array(4).fill(1), [4]);
  const b = tensor(new Float32Array(4).fill(1), [4]);
  const hundred = () => {
    for (let i = 0; i < 100; i += 1) add(a, b);
  };
  noGradient(() => {
    for (let i = 0; i < calls; i += 100) scope(hundred);
  });
}
