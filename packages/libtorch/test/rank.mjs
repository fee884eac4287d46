// One rank of several: `node --import ../../../test/from-source.mjs rank.mjs WHAT MEETING`. Does WHAT with the ranks of MEETING, which is JSON, and
// prints what came of it as JSON.
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import {
  absolute,
  add,
  contiguous,
  conv3d,
  joinRanks,
  manualSeed,
  maximumAll,
  meanAll,
  memory,
  narrow,
  randn,
  scope,
  setThreads,
  sgd,
  square,
  subtract,
  tensor,
  to,
  zeros,
} from '../src/index.ts';

const [what, text] = process.argv.slice(2);
const meeting = JSON.parse(text);
const { rank, size } = meeting;
const others = Array.from({ length: size }, (_, i) => i);
setThreads(1);

const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

/** Of the tensors' values, each to the bit. */
function hash(...tensors) {
  const sum = createHash('sha256');
  for (const one of tensors) sum.update(new Uint8Array(to(one, { dataType: 'float64' }).toArray().buffer));
  return sum.digest('hex');
}

function normal(seed, shape) {
  manualSeed(seed);
  return randn(shape, { dataType: 'float32' });
}

const distance = (one, other) => maximumAll(absolute(subtract(one, other))).item();

/** What the collective operations make of values that are known. */
function exchange(ranks) {
  const sums = ['float32', 'float64', 'bfloat16', 'float16', 'int64', 'int32', 'uint8'].map((dataType) => {
    const one = to(tensor(Float32Array.of(rank + 1, 10 * rank, 2), [3]), { dataType });
    ranks.allReduce(one);
    return [dataType, to(one, { dataType: 'float32' }).toNumbers()];
  });

  const random = normal(rank, [10_007]);
  ranks.allReduce(random);
  const right = others.map((i) => normal(i, [10_007])).reduce((one, other) => add(one, other));

  const shape = [2, 3, 4, 5, 6];
  const volume = contiguous(normal(rank, shape), {
    memoryFormat: rank % 2 === 0 ? 'contiguous' : 'channels_last_3d', // as each rank likes
  });
  ranks.allReduce(volume);
  const rightVolume = others.map((i) => normal(i, shape)).reduce((one, other) => add(one, other));

  const weight = normal(rank, [5]);
  weight.requiresGradient = true;
  ranks.broadcast(weight, size - 1);

  ranks.allReduce(zeros([0]));
  const scalar = tensor(Float32Array.of(rank), []);
  ranks.allReduce(scalar);
  const gathered = ranks.allGather(tensor(BigInt64Array.of(BigInt(rank), 2n ** 62n + BigInt(rank)), [2]));
  return {
    sums,
    hash: hash(random, volume),
    errors: [distance(random, right), distance(volume, rightVolume)],
    broadcast: distance(weight, normal(size - 1, [5])),
    scalar: scalar.item(),
    gathered: [gathered.shape, Array.from(gathered.toArray(), String)],
    bytes: ranks.allGatherBytes(Buffer.from('x'.repeat(rank) + rank)).map((bytes) => Buffer.from(bytes).toString()),
    nothing: ranks.allGatherBytes(new Uint8Array()).map((bytes) => bytes.length),
  };
}

/** After the first barrier none of the ranks is earlier than the one that came to it last. */
function barrier(ranks) {
  ranks.barrier();
  if (rank === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  const before = Date.now();
  ranks.barrier();
  return Date.now() - before;
}

/** A small network's weights after some steps: on all ranks together, each with its part of the batch, or alone with all of it. */
function train(ranks, steps, bucketBytes) {
  const weights = [normal(100, [3, 1, 3, 3, 3]), normal(101, [3]), normal(102, [1, 3, 3, 3, 3]), normal(103, [4])];
  const unused = normal(104, [2]);
  const parameters = [...weights, unused];
  for (const one of parameters) one.requiresGradient = true;
  // Not Adam, to which a gradient's length is all the same.
  const optimiser = sgd(parameters, { learningRate: 1e-5, momentum: 0.9 });
  const counts = [];
  for (let step = 0; step < steps; step += 1) {
    scope(() => {
      const batch = normal(step, [2 * size, 1, 6, 6, 6]);
      const part = ranks ? narrow(batch, 0, 2 * rank, 2) : batch;
      const [first, bias, second, rare] = weights;
      const loss = meanAll(square(conv3d(conv3d(part, first, { bias }), second)));
      // This one concerns the last rank alone, whose loss is one of `size` in the mean.
      const last = ranks ? (rank === size - 1 ? 1 : 0) : 1 / size;
      const own = last > 0 ? add(loss, meanAll(square(rare)), { alpha: last }) : loss;
      const back = () => own.backward();
      if (ranks) ranks.averageGradients(parameters, back, { bucketBytes });
      else back();
    });
    if (unused.gradient) throw new Error('A gradient that no rank has was made.');
    optimiser.step();
    optimiser.clearGradients();
    counts.push(memory().tensors);
  }
  return { weights, counts };
}

function gradients(ranks) {
  const alone = train(undefined, 10);
  const [one, small] = [1e9, 100].map((bucketBytes) => train(ranks, 10, bucketBytes));
  return {
    hashes: [hash(...one.weights), hash(...small.weights)],
    errors: [one, small].map(({ weights }) =>
      Math.max(...weights.map((weight, i) => distance(weight, alone.weights[i]))),
    ),
    // The first step makes the optimiser's states.
    counts: [one, small].map(({ counts }) => new Set(counts.slice(1)).size),
  };
}

/** The way back of one rank fails half way. */
function failing(ranks) {
  const [near, far] = [normal(1, [3]), normal(2, [3])];
  for (const one of [near, far]) one.requiresGradient = true;
  let said = 'nothing';
  try {
    ranks.averageGradients(
      [near, far],
      () => {
        meanAll(near).backward();
        if (rank === 0) throw new Error('no memory');
        meanAll(far).backward();
      },
      { bucketBytes: 1 },
    );
  } catch (error) {
    said = error.message;
  }
  return { said, means: [near, far].map(({ gradient }) => Array.from(gradient.toArray(), (value) => 3 * value)) };
}

/** Sums up until another rank ends; this one of them ends itself. */
const killed = (who) => (ranks) => {
  const values = zeros([100_000]);
  for (let round = 0; ; round += 1) {
    if (rank === who && round === 100) {
      say({ at: Date.now() });
      process.kill(process.pid, 'SIGKILL');
    }
    ranks.allReduce(values);
  }
};

/** Leaves one rank waiting for longer than a timeout. */
function late(ranks) {
  if (rank === size - 1)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * (meeting.exchangeSeconds + 3));
  ranks.barrier();
}

/** Ranks of which the last one is at something else. */
function differ(ranks) {
  const last = rank === size - 1;
  ranks.allReduce(last ? zeros([500], { dataType: 'float64' }) : zeros([3]));
}

/** Two ranks of which one gathers while the other sums. */
function cross(ranks) {
  if (rank === 0) ranks.allReduce(zeros([3]));
  else ranks.allGatherBytes(new Uint8Array(3));
}

/** What is refused, and what a group that was left says. */
function refused(ranks) {
  const messageOf = (body) => {
    try {
      body();
      return 'nothing';
    } catch (error) {
      return error.message;
    }
  };
  const messages = [messageOf(() => ranks.broadcast(zeros([1]), size)), messageOf(() => joinRanks(meeting))];
  ranks.leave();
  ranks.leave();
  return [...messages, messageOf(() => ranks.barrier())];
}

const programs = {
  exchange,
  barrier,
  gradients,
  failing,
  'last-killed': killed(size - 1),
  'first-killed': killed(0),
  late,
  differ,
  cross,
  refused,
  join: () => 'joined',
};

const began = Date.now();
try {
  const before = memory().tensors;
  const ranks = joinRanks(meeting);
  const result = scope(() => programs[what](ranks));
  const left = memory().tensors - before;
  if (what !== 'refused') {
    ranks.barrier();
    ranks.leave();
  }
  say({ result, left });
} catch (error) {
  say({ error: error.message, code: error.code, seconds: (Date.now() - began) / 1000, at: Date.now() });
  process.exitCode = 1;
}
