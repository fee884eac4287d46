// What one call of a tiny operation costs, here and in Python: `node benchmarks/call.mjs` after `npm run build`. RONASMIS_PEERS names a
// Python that has torch. The two take turns, so that a change of the machine's clock meets both.
import { execFileSync } from 'node:child_process';
import { add, noGradient, scope, setThreads, tensor } from '@ronasmis/libtorch';

const rounds = 7;
const calls = 200_000;

const python = `
import time, torch
torch.set_num_threads(1)
a, b = torch.ones(4), torch.ones(4)
with torch.no_grad():
    for _ in range(50_000): a + b
    start = time.perf_counter_ns()
    for _ in range(${calls}): a + b
    print((time.perf_counter_ns() - start) / ${calls})
`;

/** Nanoseconds of an `add` of two tensors with four elements, those of its share of a scope's end included. */
function ours() {
  const a = tensor(new Float32Array(4).fill(1), [4]);
  const b = tensor(new Float32Array(4).fill(1), [4]);
  const step = () => {
    for (let i = 0; i < 100; i += 1) add(a, b);
  };
  const run = (count) => {
    for (let i = 0; i < count; i += 100) scope(step);
  };
  return noGradient(() => {
    run(50_000);
    const start = process.hrtime.bigint();
    run(calls);
    return Number(process.hrtime.bigint() - start) / calls;
  });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

setThreads(1);
const peer = process.env.RONASMIS_PEERS;
const here = [];
const there = [];
for (let round = 0; round < rounds; round += 1) {
  here.push(ours());
  if (peer) there.push(Number(execFileSync(peer, ['-c', python], { encoding: 'utf8' })));
}
console.log(`add of 4 numbers, median of ${rounds}: ${median(here).toFixed(0)} ns here`);
if (peer) console.log(`${median(there).toFixed(0)} ns in Python; ratio ${(median(here) / median(there)).toFixed(2)}`);
else console.log('Python was left out: RONASMIS_PEERS names none.');
