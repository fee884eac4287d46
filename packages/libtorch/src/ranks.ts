import { exchange as exchanged, native } from './native.ts';
import {
  allGatherIntoTensor,
  allReduceInPlace,
  broadcastInPlace,
  contiguous,
  copyInPlace,
  detach,
  reshape,
  to,
  waitTensor,
  zeros,
} from './operations.ts';
import { scope, type Tensor, tensor } from './tensor.ts';

/** Where the processes of one run, its ranks, find each other. All but `rank` are alike in all of them. */
export interface Meeting {
  /** Which of the ranks this process is, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** Name or address of the machine where the meeting point is served. */
  readonly host: string;
  readonly port: number;
  /** Who serves the meeting point. */
  readonly servedBy: 'rank 0' | 'launcher';
  /** What tells this run from others that meet at the same point; earlier attempts at it are told apart by themselves. */
  readonly name: string;
  /** For so many whole seconds a rank waits until all have come. */
  readonly meetingSeconds: number;
  /** For so many it waits for another one later, in each exchange. */
  readonly exchangeSeconds: number;
}

/**
 * The ranks of a run, as one of them sees them. Every function here has to be called by all ranks, in the same order and with tensors
 * of the same shapes and data types; it returns when all have. Tensors on a GPU are exchanged by way of the processor's memory.
 *
 * Each throws a {@link RankError} where a rank has ended, does not come or is at something else, and whatever is called afterwards
 * does too: who had which values is not known any more.
 */
export interface Ranks {
  readonly rank: number;
  readonly size: number;
  /** Puts the sum over all ranks into the tensor of each: the same to the bit, in the tensor's own data type. */
  allReduce(tensor: Tensor): void;
  /**
   * Runs `body`, which makes gradients of these tensors, and gives each of them, on every rank, the mean over the ranks of its gradients: one without a
   * gradient on a rank counts as 0 there, and one without any is left without. So the ranks take the same step, to the bit, where they have the same
   * weights and the same optimiser.
   *
   * The gradients go bucket by bucket, in the order of the list, as soon as those of a bucket are there and while `body` goes on with others: the
   * list is best in the order in which a way back comes to them. Each may be accumulated once. What `body` throws is thrown when the others have what they wait
   * for, with what gradients there were.
   */
  averageGradients<Result>(tensors: readonly Tensor[], body: () => Result, options?: AveragingOptions): Result;
  /** Puts the values of one rank into the tensor of each. */
  broadcast(tensor: Tensor, source: number): void;
  /** The tensors of all ranks, in a new first axis: `[rank, ...shape]`, on the processor. */
  allGather(tensor: Tensor): Tensor;
  /** The bytes of all ranks, as many as each likes, in the order of the ranks. */
  allGatherBytes(bytes: Uint8Array): readonly Uint8Array[];
  /** Waits until all ranks are here. */
  barrier(): void;
  /** Closes the connections. Those that still wait for this rank then fail. */
  leave(): void;
}

/** How gradients are averaged. */
export interface AveragingOptions {
  /** Of gradients that are exchanged together, at most; a larger one goes alone. That is also what an exchange takes beside them, twice. */
  readonly bucketBytes?: number;
}

/** Large enough for a network's latency not to count, small beside what a step takes; a few for most networks. */
const defaultBucketBytes = 4 * 2 ** 20;

/** What a rank could not do because of others, or of the network between them: a sentence with the fix. Its `code` tells it elsewhere. */
export class RankError extends Error {
  override readonly name = 'RankError';
  readonly code = 'RANK_FAILED';
}

/** A libtorch error's own words: the bridge puts the operation before them, Gloo the place in its sources, and hints after them. */
const causeOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/^[\s\S]*?\) failed: /, '')
    .split('\n')[0]
    .replace(/^\[\S+:\d+\] /, '')
    .replace(/\. This is typically caused by .*$/, '');

/** What Gloo says where another process is gone. */
const gone = /closed by peer|connection reset|broken pipe|connection closed|connection refused/i;
/** What it says where another process does not come. */
const late = /timed? ?out/i;

/** For so many seconds the others are waited for, to learn which of them has ended: each notices by itself that one has. */
const answerSeconds = 2;

/** Which ranks have ended, as far as can be told, for the beginning of a sentence. */
function endedRanks({ name, servedBy }: Meeting): string {
  const silent = native.silentRanks(name, answerSeconds);
  if (silent === null) return `${servedBy === 'launcher' ? 'the launcher' : servedBy}, which served the meeting point,`;
  return silent.length === 0 ? 'another rank' : `rank ${silent.join(', rank ')}`;
}

function sentence(who: string, what: string, meeting: Meeting, cause: string): string {
  const { exchangeSeconds } = meeting;
  if (gone.test(cause))
    return `${who}: ${endedRanks(meeting)} ended during ${what}. Its own output says why; start the run again, or resume it. (${cause})`;
  if (late.test(cause))
    return `${who}: another rank did not come to ${what} within ${exchangeSeconds} s. See whether it still runs, and what it says. (${cause})`;
  return `${who}: ${what} failed: ${cause}`;
}

function bytesOf(gathered: Tensor): Uint8Array {
  const bytes = gathered.toArray();
  if (bytes instanceof Uint8Array) return bytes;
  throw new Error('What was gathered is not bytes.');
}

/** So many bytes of what a rank does are compared with what the others do. */
const comparedBytes = 96;

/**
 * Throws, in all ranks alike, where one is at something else than this: Gloo would end the process of one that is sent more than it
 * waits for, and take what is of the same size for what it waits for.
 */
function agree(doing: string, size: number, name: string): void {
  const own = new Uint8Array(comparedBytes);
  new TextEncoder().encodeInto(doing, own);
  const all = bytesOf(waitTensor(allGatherIntoTensor(tensor(own, [1, comparedBytes]), size, name)));
  for (let rank = 0; rank < size; rank += 1) {
    const theirs = all.subarray(rank * comparedBytes, (rank + 1) * comparedBytes);
    if (Buffer.compare(theirs, own) === 0) continue;
    const what = new TextDecoder().decode(theirs).replace(/\0+$/, '');
    throw new Error(`rank ${rank} is at ${what}, and this one at ${doing}. All ranks must do the same.`);
  }
}

const totalBytes = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

/** Whether the elements lie one after the other in memory, in row-major order. */
function liesInOrder({ shape, strides }: Tensor): boolean {
  let distance = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1 && strides[axis] !== distance) return false;
    distance *= shape[axis];
  }
  return true;
}

/**
 * Joins the ranks of a run, over TCP: returns when all have come and are connected with each other, so that Node's event loop rests until
 * then, as it does in each exchange. Needs a libtorch for Linux with Gloo. Where a machine has several networks, the environment
 * variable GLOO_SOCKET_IFNAME names the interface.
 *
 * Throws a {@link RankError} where the meeting point can't be served or found, where a rank does not come in time (naming it), is
 * there twice, or counts other ranks.
 */
export function joinRanks(meeting: Meeting): Ranks {
  const { rank, size, host, port, servedBy, name, meetingSeconds, exchangeSeconds } = meeting;
  const who = `Rank ${rank} of ${size}`;
  let failure: string | undefined;
  let left = false;

  /** Runs a part of an exchange; after one that failed there is no other. */
  function attempt<Result>(what: string, body: () => Result): Result {
    if (left) throw new Error(`${who}: ${what} came after this process had left its group.`);
    if (failure !== undefined) throw new RankError(failure);
    try {
      return scope(body);
    } catch (error) {
      failure = sentence(who, what, meeting, causeOf(error));
      throw new RankError(failure, { cause: error });
    }
  }

  /** Runs an exchange of such tensors, once all ranks are at it. */
  const exchange = <Result>(what: string, given: Tensor, body: () => Result): Result =>
    attempt(what, () => {
      agree(`${what}: ${given.dataType} [${given.shape}]`, size, name);
      return body();
    });

  /** Has an exchange change a tensor's values, which Gloo wants on the processor and in order. */
  function change(what: string, given: Tensor, operation: (values: Tensor) => void): void {
    const direct = given.device === 'cpu' && liesInOrder(given);
    exchange(what, given, () => {
      const own = detach(given);
      const values = direct ? own : contiguous(to(own, { device: 'cpu' }));
      operation(values);
      waitTensor(values);
      if (!direct) copyInPlace(own, values);
    });
  }

  function averageGradients<Result>(
    tensors: readonly Tensor[],
    body: () => Result,
    { bucketBytes = defaultBucketBytes }: AveragingOptions = {},
  ): Result {
    const what = 'averaging gradients';
    attempt(what, () => {
      agree(`${what}: ${tensors.length} of ${totalBytes(tensors)} bytes`, size, name);
      exchanged.set(tensors.map(({ handle }) => handle));
      native.beginAveraging(name, tensors.length, bucketBytes);
    });
    try {
      return body();
    } finally {
      attempt(what, () => native.endAveraging(name));
    }
  }

  function broadcast(given: Tensor, source: number): void {
    if (!Number.isInteger(source) || source < 0 || source >= size)
      throw new Error(`${who}: values can be taken from ranks 0 to ${size - 1}, not from ${source}.`);
    change(`taking over values of rank ${source}`, given, (values) => broadcastInPlace(values, source, name));
  }

  function allGather(given: Tensor): Tensor {
    return exchange('gathering values of all ranks', given, () => {
      const row = reshape(contiguous(to(detach(given), { device: 'cpu' })), [1, ...given.shape]);
      return waitTensor(allGatherIntoTensor(row, size, name));
    });
  }

  const barrier = (): void =>
    change('meeting the other ranks', zeros([1], { dataType: 'float32' }), (values) =>
      allReduceInPlace(values, 'sum', name),
    );

  try {
    native.joinRanks(host, port, rank, size, servedBy === 'launcher', name, meetingSeconds, exchangeSeconds);
  } catch (error) {
    throw new RankError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const leave = (): void => {
    left = true;
    native.leaveRanks(name);
  };
  try {
    // So that no rank ends, and the meeting point with it, while another is not connected yet.
    scope(barrier);
  } catch (error) {
    leave();
    throw error;
  }

  return {
    rank,
    size,
    averageGradients,
    allReduce: (given) => change('a sum over the ranks', given, (values) => allReduceInPlace(values, 'sum', name)),
    broadcast,
    allGather,
    allGatherBytes: (bytes) => gatherBytes(allGather, bytes),
    barrier: () => scope(barrier),
    leave,
  };
}

/** Gathers as many bytes of each rank as the longest list has, and of these what each rank has. */
function gatherBytes(allGather: Ranks['allGather'], bytes: Uint8Array): readonly Uint8Array[] {
  return scope(() => {
    const lengths = allGather(tensor(BigInt64Array.of(BigInt(bytes.length)), [1])).toNumbers();
    const longest = Math.max(...lengths);
    const padded = new Uint8Array(longest);
    padded.set(bytes);
    const all = bytesOf(allGather(tensor(padded, [longest])));
    return lengths.map((length, rank) => all.slice(rank * longest, rank * longest + length));
  });
}
