import cliProgress from 'cli-progress';
import { formatDice, formatSeconds } from '../report/format.ts';
import type { Progress } from '../run/progress.ts';
import { coloursOf, sparkline } from './output.ts';

/** Shows how far the work is, until it is stopped. */
export type ProgressView = {
  readonly update: (progress: Progress) => void;
  /** Prints a line above the bar. */
  readonly say: (line: string) => void;
  readonly stop: () => void;
};

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  prepare: 'Reading scans',
  race: 'Trying kernels',
  train: 'Training',
  evaluate: 'Evaluating children',
  final: 'Predicting test cases',
};

/** What is known of a run: what it does not say again stays, but where scans are read another one begins. */
const merged = (known: Progress | undefined, progress: Progress): Progress =>
  progress.phase === 'prepare' ? progress : { ...known, ...progress };

/** On a terminal a bar and a curve that renew themselves, elsewhere a plain line a controller step. */
export function openProgress(stream: NodeJS.WriteStream = process.stderr): ProgressView {
  return stream.isTTY ? openBars(stream) : openLines(stream);
}

function openBars(stream: NodeJS.WriteStream): ProgressView {
  let known: Progress = { phase: 'prepare', step: 0, done: 0, total: 1 };
  let rewards: readonly number[] = [];
  const bars = new cliProgress.MultiBar({ stream, hideCursor: true, clearOnComplete: true });
  const { dim } = coloursOf(stream);
  const line = (head: string, drawn: string, figures: readonly string[]): string =>
    `${head.padEnd(26)} ${drawn} ${dim(figures.join(' · '))}`;
  const ofPhase = (progress: number): string =>
    line(title(known), drawBar(progress, stream), [
      `${known.done}/${known.total}`,
      ...lossOf(known),
      ...timeLeft(known),
    ]);
  const ofSteps = (): string =>
    rewards.length === 0 ? '' : line('Reward by step', drawCurve(rewards, stream), worth(known));
  const bar = bars.create(1, 0, {}, { format: (_, { progress }) => ofPhase(progress) });
  bars.create(1, 0, {}, { format: ofSteps });
  return {
    update: (progress) => {
      rewards = rewardsWith(rewards, known, progress);
      known = merged(known, progress);
      bar.setTotal(Math.max(1, progress.total));
      bar.update(progress.done);
    },
    say: (text) => {
      bars.log(`${text}\n`);
      // At once: what follows may take long, or end the program.
      bars.update();
    },
    stop: () => bars.stop(),
  };
}

/** The rewards to be drawn: those at half the resolution are not compared with those at the full one, nor one run's with another's. */
function rewardsWith(
  rewards: readonly number[],
  known: Progress,
  { phase, reward, coarse }: Progress,
): readonly number[] {
  if (phase === 'prepare') return [];
  if (reward === undefined) return rewards;
  return coarse === known.coarse ? [...rewards, reward] : [reward];
}

const barWidth = 24;

/** Rewards as a row of bars, as wide as a bar. */
function drawCurve(rewards: readonly number[], stream: NodeJS.WriteStream): string {
  return coloursOf(stream).cyan(sparkline(rewards, barWidth).padEnd(barWidth));
}

/** The part of a bar that is filled, and the rest of it. */
export function drawBar(fraction: number, stream: NodeJS.WriteStream): string {
  const colours = coloursOf(stream);
  const filled = Math.round(fraction * barWidth);
  return colours.cyan('━'.repeat(filled)) + colours.dim('━'.repeat(barWidth - filled));
}

function openLines(stream: NodeJS.WriteStream): ProgressView {
  let known: Progress | undefined;
  return {
    update: (progress) => {
      const phaseIsNew = known?.phase !== progress.phase;
      known = merged(known, progress);
      const stepIsDone = progress.phase === 'evaluate' && progress.done === progress.total;
      const begins =
        phaseIsNew && (progress.phase === 'prepare' || progress.phase === 'race' || progress.phase === 'final');
      if (stepIsDone)
        stream.write(`step ${progress.step}: ${[...lossOf(known), ...worth(known), ...timeLeft(known)].join(', ')}\n`);
      else if (begins) stream.write(`${title(progress)} (${progress.total})\n`);
    },
    say: (line) => void stream.write(`${line}\n`),
    stop: () => {},
  };
}

function title({ phase, step }: Progress): string {
  return phase === 'train' || phase === 'evaluate' ? `${PHASES[phase]}, step ${step}` : PHASES[phase];
}

const lossOf = ({ loss }: Progress): readonly string[] => (loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]);

const timeLeft = ({ secondsLeft }: Progress): readonly string[] =>
  secondsLeft === undefined ? [] : [`${formatSeconds(secondsLeft)} left`];

/** What the children of the last step were worth. */
const worth = ({ reward, entropy, dice, baseDice, coarse }: Progress): readonly string[] => [
  ...(reward === undefined ? [] : [`reward ${reward.toFixed(4)}`]),
  ...(entropy == null ? [] : [`entropy ${entropy.toFixed(2)}`]),
  ...(dice === undefined ? [] : [`best Dice ${formatDice(dice)} %${coarse ? ' at half resolution' : ''}`]),
  ...(baseDice === undefined ? [] : [`the base ${formatDice(baseDice)} %`]),
];
