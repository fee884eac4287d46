import cliProgress from 'cli-progress';
import { formatDice, formatSeconds } from '../report/format.ts';
import type { Progress } from '../run/progress.ts';
import { coloursOf } from './output.ts';

/** Shows how far the work is, until it is stopped. */
export type ProgressView = {
  readonly update: (progress: Progress) => void;
  /** Prints a line above the bar. */
  readonly say: (line: string) => void;
  readonly stop: () => void;
};

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  prepare: 'Reading scans',
  train: 'Training',
  evaluate: 'Evaluating children',
  final: 'Predicting test cases',
};

/** What is known of a run: what it does not say again stays, but where scans are read another one begins. */
const merged = (known: Progress | undefined, progress: Progress): Progress =>
  progress.phase === 'prepare' ? progress : { ...known, ...progress };

/** A bar that renews itself on a terminal, elsewhere a plain line a controller step. */
export function openProgress(stream: NodeJS.WriteStream = process.stderr): ProgressView {
  return stream.isTTY ? openBar(stream) : openLines(stream);
}

function openBar(stream: NodeJS.WriteStream): ProgressView {
  const colours = coloursOf(stream);
  let known: Progress = { phase: 'prepare', step: 0, done: 0, total: 1 };
  const bar = new cliProgress.SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    format: (_, { progress }) =>
      `${title(known).padEnd(26)} ${drawBar(progress, stream)} ${known.done}/${known.total}  ${colours.dim(figures(known).join(' · '))}`,
  });
  bar.start(1, 0);
  return {
    update: (progress) => {
      known = merged(known, progress);
      bar.setTotal(Math.max(1, progress.total));
      bar.update(progress.done);
    },
    say: (line) => {
      bar.stop();
      stream.write(`${line}\n`);
      bar.start(1, 0);
    },
    stop: () => bar.stop(),
  };
}

/** The part of a bar that is filled, and the rest of it. */
export function drawBar(fraction: number, stream: NodeJS.WriteStream): string {
  const colours = coloursOf(stream);
  const filled = Math.round(fraction * 24);
  return colours.cyan('━'.repeat(filled)) + colours.dim('━'.repeat(24 - filled));
}

function openLines(stream: NodeJS.WriteStream): ProgressView {
  let known: Progress | undefined;
  return {
    update: (progress) => {
      const phaseIsNew = known?.phase !== progress.phase;
      known = merged(known, progress);
      const stepIsDone = progress.phase === 'evaluate' && progress.done === progress.total;
      const begins = phaseIsNew && (progress.phase === 'prepare' || progress.phase === 'final');
      if (stepIsDone) stream.write(`step ${progress.step}: ${figures(known).join(', ')}\n`);
      else if (begins) stream.write(`${title(progress)} (${progress.total})\n`);
    },
    say: (line) => void stream.write(`${line}\n`),
    stop: () => {},
  };
}

function title({ phase, step }: Progress): string {
  return phase === 'train' || phase === 'evaluate' ? `${PHASES[phase]}, step ${step}` : PHASES[phase];
}

function figures({ loss, reward, entropy, dice, coarse, secondsLeft }: Progress): readonly string[] {
  return [
    ...(loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
    ...(reward === undefined ? [] : [`reward ${reward.toFixed(4)}`]),
    ...(entropy == null ? [] : [`entropy ${entropy.toFixed(2)}`]),
    ...(dice === undefined ? [] : [`best Dice ${formatDice(dice)} %${coarse ? ' at half resolution' : ''}`]),
    ...(secondsLeft === undefined ? [] : [`${formatSeconds(secondsLeft)} left`]),
  ];
}
