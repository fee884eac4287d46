import { describe, expect, test } from 'vitest';
import { joinRanks } from '../src/index.ts';
import { type Ended, freePort, listen, startRank, startRanks, untilServed } from './ranks.ts';

// All of this is between processes of their own, over TCP on this machine. Elsewhere than on Linux there is no Gloo.
describe.runIf(process.platform === 'linux')('ranks', () => {
  test.each([2, 4])('%i exchange values', async (size) => {
    const ended = await startRanks('exchange', size);
    const ranks = Array.from({ length: size }, (_, rank) => rank);
    const sum = (of: (rank: number) => number) => ranks.reduce((total, rank) => total + of(rank), 0);
    const sums = [sum((rank) => rank + 1), sum((rank) => 10 * rank), 2 * size];
    const close = expect.closeTo(0, 5);
    for (const { said, stderr } of ended) {
      expect(said, stderr).toEqual({
        result: {
          sums: ['float32', 'float64', 'bfloat16', 'float16', 'int64', 'int32', 'uint8'].map((type) => [type, sums]),
          hash: expect.any(String),
          errors: [close, close],
          broadcast: 0,
          scalar: sum((rank) => rank),
          gathered: [[size, 2], ranks.flatMap((rank) => [String(rank), String(2n ** 62n + BigInt(rank))])],
          bytes: ranks.map((rank) => 'x'.repeat(rank) + rank),
          nothing: ranks.map(() => 0),
        },
        left: 0,
      });
    }
    const hashes = ended.map(({ said }) => JSON.stringify(said).match(/"hash":"(\w+)"/)?.[1]);
    expect(new Set(hashes).size).toBe(1);
  });

  test('wait for each other', async () => {
    const [first, ...others] = await startRanks('barrier', 2);
    expect(first.said, first.stderr).toMatchObject({ left: 0 });
    for (const { said } of others) expect(said).toEqual({ result: expect.toSatisfy((ms) => ms > 300), left: 0 });
  });

  test('train as one does with all of the batch, with the same weights to the bit', async () => {
    const ended = await startRanks('gradients', 2);
    const close = expect.closeTo(0, 5);
    for (const { said, stderr } of ended)
      expect(said, stderr).toEqual({
        result: {
          hashes: [expect.any(String), expect.any(String)],
          errors: [close, close],
          counts: [1, 1],
        },
        // Three optimisers keep a momentum for four parameters each.
        left: 12,
      });
    expect(ended[0].said).toEqual(ended[1].said);
  });

  test('of which one fails on its way back have the others’ gradients all the same', async () => {
    const ended = await startRanks('failing', 2);
    const close = (value: number) => Array.from({ length: 3 }, () => expect.closeTo(value, 6));
    for (const [rank, { said, stderr }] of ended.entries())
      expect(said, stderr).toEqual({
        result: { said: rank === 0 ? 'no memory' : 'nothing', means: [close(1), close(0.5)] },
        left: 0,
      });
  });

  test.each([
    { what: 'last-killed', who: 2, name: 'rank 2' },
    { what: 'first-killed', who: 0, name: 'rank 0, which served the meeting point,' },
  ])('hear soon of one that was killed: $name', async ({ what, who, name }) => {
    const ended = await startRanks(what, 3);
    const killed = ended[who];
    expect(killed).toEqual({ signal: 'SIGKILL', said: { at: expect.any(Number) }, stderr: '' });
    const end = Number(JSON.stringify(killed.said).match(/\d+/));
    for (const { said, stderr } of ended.toSpliced(who, 1)) {
      expect(said, stderr).toEqual({
        error: expect.stringMatching(
          new RegExp(`^Rank \\d of 3: ${name} ended during a sum over the ranks\\. Its own output says why`),
        ),
        code: 'RANK_FAILED',
        seconds: expect.any(Number),
        at: expect.toSatisfy((at) => at - end < 10_000),
      });
    }
  });

  test('wait for one that does not come to an exchange no longer than they were told', async () => {
    const [first] = await startRanks('late', 2, { meetingSeconds: 10, exchangeSeconds: 10 });
    expect(first.said).toMatchObject({
      code: 'RANK_FAILED',
      error: expect.stringMatching(
        /^Rank 0 of 2: another rank did not come to meeting the other ranks within 10 s\. See whether it still runs/,
      ),
    });
  });

  test.each([
    ['differ', 'a sum over the ranks: float32 [3]', 'a sum over the ranks: float64 [500]'],
    ['cross', 'a sum over the ranks: float32 [3]', 'gathering values of all ranks: int64 [1]'],
  ])('that are not at the same say so: %s', async (what, own, other) => {
    const ended = await startRanks(what, 2);
    expect(ended[0].said, ended[0].stderr).toMatchObject({
      code: 'RANK_FAILED',
      error: expect.stringContaining(
        `failed: rank 1 is at ${other}, and this one at ${own}. All ranks must do the same.`,
      ),
    });
    expect(ended[1].said, ended[1].stderr).toMatchObject({
      code: 'RANK_FAILED',
      error: expect.stringContaining(
        `failed: rank 0 is at ${own}, and this one at ${other}. All ranks must do the same.`,
      ),
    });
  });

  test('meet at a point that has seen them before: with as many, and with fewer', async () => {
    const common = { host: '127.0.0.1', port: await freePort(), meetingSeconds: 30, exchangeSeconds: 30 };
    const agent = joinRanks({ ...common, rank: 0, size: 1, servedBy: 'rank 0', name: 'agent' });
    const attempt = (what: string, size: number): readonly Promise<Ended>[] => {
      const start = (rank: number) => startRank(what, { ...common, rank, size, servedBy: 'launcher', name: 'test' });
      // The first rank comes last, when the others have found what is there from before.
      const others = Array.from({ length: size - 1 }, (_, i) => start(i + 1));
      return [new Promise((resolve) => setTimeout(resolve, 2000)).then(() => start(0)), ...others];
    };
    const [first, second, killed] = await Promise.all(attempt('last-killed', 3));
    expect(killed.signal).toBe('SIGKILL');
    for (const { said } of [first, second])
      expect(said).toMatchObject({ error: expect.stringContaining('rank 2 ended during a sum over the ranks.') });
    for (const size of [3, 2])
      for (const { said, stderr } of await Promise.all(attempt('barrier', size)))
        expect(said, stderr).toMatchObject({ left: 0 });
    agent.leave();
  });

  test('that can do nothing together say so', async () => {
    const ended = await startRanks('refused', 2);
    ended.forEach(({ said, stderr }, rank) => {
      const who = `Rank ${rank} of 2`;
      expect(said, stderr).toMatchObject({
        result: [
          `${who}: values can be taken from ranks 0 to 1, not from 2.`,
          "This process has joined a group of ranks called 'test' already.",
          `${who}: meeting the other ranks came after this process had left its group.`,
        ],
      });
    });
  });
});

describe.runIf(process.platform === 'linux')('ranks that cannot meet', () => {
  const here = { host: '127.0.0.1', servedBy: 'rank 0', name: 'test', meetingSeconds: 2, exchangeSeconds: 2 } as const;
  /** What a rank says that fails so, and nothing else: c10d's warnings come with stack traces. */
  const failing = (pattern: RegExp) => ({
    said: {
      code: 'RANK_FAILED',
      error: expect.stringMatching(pattern),
      seconds: expect.any(Number),
      at: expect.any(Number),
    },
    signal: null,
    stderr: '',
  });

  test('one that never comes is named', async () => {
    const ended = await startRank('join', { ...here, port: await freePort(), rank: 0, size: 3 });
    expect(ended).toEqual(
      failing(/^Rank 0 of 3 waited for ranks that did not come to 127\.0\.0\.1:\d+ within 2 s: 1, 2\. See whether/),
    );
  });

  test('a port where nobody listens', async () => {
    const port = await freePort();
    const ended = await startRank('join', { ...here, port, rank: 1, size: 2 });
    expect(ended).toEqual(
      failing(/^Rank 1 of 2 found no meeting point of the ranks at 127\.0\.0\.1:\d+ within 2 s\. See that the address/),
    );
  });

  test('a host that does not exist', async () => {
    const elsewhere = { ...here, host: 'no-such-host.invalid', port: 29500, rank: 1, size: 2 };
    expect(await startRank('join', elsewhere)).toEqual(
      failing(/^Rank 1 of 2 found no meeting point of the ranks at no-such-host\.invalid:29500 within 2 s\./),
    );
  });

  test('an interface that this machine does not have', async () => {
    const alone = { ...here, port: await freePort(), rank: 0, size: 1 };
    const ended = await startRank('join', alone, { GLOO_SOCKET_IFNAME: 'nonesuch' });
    expect(ended).toEqual(
      failing(
        /^Rank 0 of 1 met the others at .*, but could not be connected with them\. Name the network interface .*nonesuch/,
      ),
    );
  });

  test('a port that is taken', async () => {
    const { port, close } = await listen();
    const ended = await startRank('join', { ...here, port, rank: 0, size: 2 });
    close();
    expect(ended).toEqual(
      failing(
        /^Rank 0 of 2 cannot serve the ranks' meeting point at 127\.0\.0\.1:\d+\. Name an address of this machine/,
      ),
    );
  });

  test('a rank that is there twice, and one that counts others', async () => {
    const port = await freePort();
    const common = { ...here, port, meetingSeconds: 60, exchangeSeconds: 15, size: 3, rank: 0 };
    const first = startRank('join', common);
    await untilServed(port);
    expect(await startRank('join', { ...common, rank: 1, size: 4 })).toEqual(
      failing(/^Rank 1 of 4 met ranks that are 3 at/),
    );
    // The second of them finds the first's meeting point, as if a launcher served it; it ends with the first.
    const twice = startRank('join', { ...common, servedBy: 'launcher' });
    expect(await first).toEqual(failing(/^Rank 0 of 3 is there twice at/));
    expect(await twice).toEqual(failing(/^Rank 0 of 3 lost the meeting point at/));
  });
});
