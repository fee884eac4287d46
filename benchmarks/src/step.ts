import { describeEngine, oneDnnTakesBfloat16 } from '@ronasmis/libtorch';
import { elementCount, macroSpace, networkDimensions, networkOf } from 'ronasmis/internal';
import { type Bench, pythonWith, say } from './bench.ts';
import { bareConvolutions } from './convolutions.ts';
import { openPeer, type Peer, type Python, withPeer } from './peer.ts';
import { takeTurns } from './rounds.ts';
import { type Row, timeRow } from './row.ts';
import { fastest, madeUpBatch, openTraining, type Size } from './training.ts';

const rounds = 5;
const patches = 4;
const patch: Size = [40, 56, 40];
/** One channel; two classes and the background. */
const dimensions = networkDimensions(1, 3);
/** A mode that takes longer to begin is left out. */
const limitSeconds = 90;
/** Compiled modes are left out once they have taken this long together: longer where no other topic is measured. */
const compileSeconds = { alone: 90, amongAll: 30 };

/** A way to run the network in PyTorch. */
interface Mode {
  readonly precision: 'fp32' | 'bf16';
  readonly layout: 'contiguous_format' | 'channels_last_3d';
  readonly compile: boolean;
}
const plain: Mode = { precision: 'fp32', layout: 'contiguous_format', compile: false };

/** A training step of the base child, against PyTorch and against its own convolutions. */
export async function step(bench: Bench): Promise<readonly Row[]> {
  const training = openTraining(patch, dimensions, fastest);
  const { device, precision, space } = training.context;
  const child = { ...space.base, patch: { depth: patch[0], height: patch[1], width: patch[2] } };
  const batch = madeUpBatch(dimensions, patches, patch);
  const ours = (): number => training.step(child, batch);
  const name = `training step, ${patches} patches of ${patch.join('x')}, ${device === 'cpu' ? '' : `${device}, `}${precision}`;

  say('step: its bare convolutions');
  const convolutions = bareConvolutions(dimensions, fastest, patches, patch);
  const bare = timeRow(name, 'its bare convolutions', await takeTurns(rounds, ours, convolutions), { atMost: 1.35 });
  const python = pythonWith(bench, 'torch', "the training step against PyTorch's");
  if (!python) return [bare];

  const against = async (mode: Mode, what: string, atLeast: number): Promise<Row> =>
    withPeer(openMode(python, mode), async (peer) =>
      timeRow(name, what, await takeTurns(rounds, ours, peer.repeat), { atLeast }),
    );
  say('step: PyTorch as it is by default');
  const rows = [await against(plain, 'PyTorch, fp32', describeEngine().cpu.bf16 === 'amx' ? 4 : 2)];
  const best = await bestMode(python, bench.whole ? compileSeconds.amongAll : compileSeconds.alone);
  rows.push(await against(best, `PyTorch at its best: ${titleOf(best)}`, 1.6));
  return [...rows, bare];
}

async function openMode(python: Python, mode: Mode, limit = limitSeconds): Promise<Peer> {
  const { channels, inputChannels, classes } = dimensions;
  const { device } = fastest;
  const task = { channels, inputs: inputChannels, classes, batch: patches, patch, device, ...mode };
  const peer = await openPeer(python, 'step.py', task, limit);
  if (Number(peer.about) === trainedNumbers()) return peer;
  await peer.close();
  throw new Error(`benchmarks/peers/network.py has ${peer.about} parameters, the base child ${trainedNumbers()}.`);
}

/** Of the base child with the heads of deep supervision. */
function trainedNumbers(): number {
  const { base } = macroSpace(patch, dimensions);
  const { parameters, auxiliaryParameters } = networkOf(base, dimensions);
  return elementCount([...parameters, ...auxiliaryParameters]);
}

/** The fastest way to run it in PyTorch here: of all eager ones, and of those that torch.compile manages in its time. */
async function bestMode(python: Python, compileLimit: number): Promise<Mode> {
  // Without units for bfloat16 a step in it takes half a minute.
  const takesBfloat16 = fastest.device !== 'cpu' || oneDnnTakesBfloat16();
  const precisions = takesBfloat16 ? (['fp32', 'bf16'] as const) : (['fp32'] as const);
  const eager = precisions.flatMap((precision) =>
    (['channels_last_3d', 'contiguous_format'] as const).map((layout): Mode => ({ precision, layout, compile: false })),
  );
  const tried: { readonly mode: Mode; readonly seconds: number }[] = [];
  const attempt = async (mode: Mode, limit: number): Promise<void> => {
    const seconds = limit > 0 ? await secondsOf(python, mode, limit) : "torch.compile's time was used up";
    const result = typeof seconds === 'number' ? `${seconds.toFixed(3)} s` : `left out, ${seconds}`;
    say(`step: PyTorch, ${titleOf(mode)}: ${result}`);
    if (typeof seconds === 'number') tried.push({ mode, seconds });
  };
  for (const mode of eager) await attempt(mode, limitSeconds);
  const byTime = tried.toSorted((a, b) => a.seconds - b.seconds);
  const until = performance.now() / 1000 + compileLimit;
  // The likeliest to be the fastest first, for not all of them may have their turn.
  for (const { mode } of byTime) await attempt({ ...mode, compile: true }, until - performance.now() / 1000);
  return tried.toSorted((a, b) => a.seconds - b.seconds)[0].mode;
}

/** A few steps of a mode, or why there are none. */
async function secondsOf(python: Python, mode: Mode, limit: number): Promise<number | string> {
  try {
    return await withPeer(openMode(python, mode, limit), async ({ repeat }) =>
      Math.min(await repeat(), await repeat()),
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function titleOf({ precision, layout, compile }: Mode): string {
  return [
    precision === 'bf16' ? 'bf16 autocast' : 'fp32',
    layout.replace('_format', ''),
    compile ? 'compiled' : 'eager',
  ].join(', ');
}
