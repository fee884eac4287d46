import { cpus } from 'node:os';
import { availableMemoryBytes } from '@ronasmis/libtorch/machine';
import type { SearchEvent } from '../../run/event.ts';
import type { SearchReport } from '../../run/report.ts';
import type { RunRecord } from '../../run/run-record.ts';
import type { SearchHooks } from '../../search/watching.ts';
import type { SystemOptions } from '../system.ts';
import type { DriverLine, LineOf } from './lines.ts';
import type { NnunetPython } from './python.ts';
import type { NnunetTraining } from './record.ts';

/** Bytes of a GPU that nnU-Net plans for by itself. */
export const plannedBytes = 8 * 2 ** 30;
/** Iterations of nnU-Net's own epochs. */
const usualIterations = 250;

/** What is known of a run only once its Python program has ended. */
interface Figures {
  readonly training: NnunetTraining;
  readonly report: Omit<SearchReport, 'validation_dice' | 'test_dice'>;
}

interface Watched {
  readonly options: SystemOptions;
  readonly python: NnunetPython;
  /** Of the data set. */
  readonly warnings: readonly string[];
  /** Of the run's time that are used up. */
  readonly seconds: () => number;
}

/** The last line of each kind. */
type Seen = { [Event in DriverLine['event']]?: LineOf<Event> };

/** Tells a run's hooks what the Python program tells, and keeps the figures of its result. */
export function watchDriver(watched: Watched, hooks: SearchHooks) {
  const { options, seconds } = watched;
  const seen: Seen = {};
  const left = () =>
    options.timeSeconds === undefined ? {} : { secondsLeft: Math.max(0, options.timeSeconds - seconds()) };
  const onLine = (line: DriverLine): void => {
    if (line.event === 'started') hooks.onStart?.(startOf(line, watched));
    if (line.event === 'step') {
      const { epoch, done, total, loss } = line;
      hooks.onProgress?.({ phase: 'train', step: epoch + 1, done, total, ...(loss !== null && { loss }), ...left() });
    }
    if (line.event === 'epoch' && seen.epoch === undefined && seen.step && seen.step.total < usualIterations)
      hooks.onWarning?.(shortEpochs(seen.step.total, line.total));
    if (line.event === 'case')
      hooks.onProgress?.({ phase: 'final', step: 0, done: line.done, total: line.total, ...left() });
    Object.assign(seen, { [line.event]: line });
  };
  return { onLine, figures: () => figuresOf(seen) };
}

/** What nnU-Net computes with. */
export function engineOf({ device, threads }: LineOf<'started'>, { torch }: NnunetPython): RunRecord['engine'] {
  const precision = device === 'cpu' ? 'fp32' : 'fp16';
  return { libtorch: `${torch} (Python)`, device, precision, threads, cpu: cpus()[0]?.model ?? '' };
}

function startOf(started: LineOf<'started'>, { options, python, warnings }: Watched) {
  const engine = engineOf(started, python);
  const other = options.precision !== 'auto' && options.precision !== engine.precision;
  const budgetBytes = options.memoryBytes ?? availableMemoryBytes();
  return {
    isSearch: false,
    engine,
    memory: { budgetBytes, expectedBytes: Math.min(plannedBytes, budgetBytes) },
    warnings: [
      ...warnings,
      ...(other ? [`nnU-Net computes in ${engine.precision} on this device, whatever --precision says.`] : []),
    ],
  };
}

const shortEpochs = (iterations: number, epochs: number): string =>
  `nnU-Net's 1000 epochs of ${usualIterations} iterations do not fit into the time: it trains about ${epochs} epochs of ${iterations}, over which its learning rate falls to the end.`;

/** A line of `events.jsonl`: nothing is evaluated. Undefined where the loss is no number. */
export function eventOf(line: LineOf<'epoch'>): SearchEvent | undefined {
  const { epoch, seconds, loss, iterations, epoch_seconds, peak_memory_bytes } = line;
  if (loss === null) return undefined;
  return {
    step: epoch,
    seconds,
    reward_mean: null,
    reward_max: null,
    reward_base: null,
    baseline: null,
    entropy: null,
    loss,
    steps: iterations,
    peak_memory_bytes,
    coarse: false,
    augmented: true,
    out_of_memory: 0,
    training_seconds: epoch_seconds,
    evaluation_seconds: 0,
    children: [],
  };
}

function figuresOf({ prepared, trained, finished }: Seen): Figures {
  if (!prepared || !trained || !finished) throw new Error('nnU-Net ended without its figures.');
  const { iterations, iterations_per_epoch, epochs, step_seconds, parameters, peak_memory_bytes, seconds } = trained;
  const { prediction_seconds } = finished;
  return {
    training: {
      iterations,
      iterations_per_epoch,
      epochs,
      step_seconds,
      preparation_seconds: prepared.seconds,
      prediction_seconds,
    },
    // What comes after the training is no part of its time.
    report: { seconds, evaluation_seconds: 0, peak_memory_bytes, parameters, cleaned_classes: [] },
  };
}
