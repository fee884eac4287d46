import { cpus } from 'node:os';
import { availableMemoryBytes } from '@ronasmis/libtorch/machine';
import type { SearchReport } from '../../run/report.ts';
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
  readonly report: Pick<SearchReport, 'parameters' | 'peak_memory_bytes'>;
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

function startOf({ device, threads }: LineOf<'started'>, { options, python, warnings }: Watched) {
  const { precision, memoryBytes } = options;
  const computed = device === 'cpu' ? 'fp32' : 'fp16';
  const other = precision !== 'auto' && precision !== computed;
  const budgetBytes = memoryBytes ?? availableMemoryBytes();
  return {
    engine: { libtorch: `${python.torch} (Python)`, device, precision: computed, threads, cpu: cpus()[0]?.model ?? '' },
    memory: { budgetBytes, expectedBytes: Math.min(plannedBytes, budgetBytes) },
    warnings: [
      ...warnings,
      ...(other ? [`nnU-Net computes in ${computed} on this device, whatever --precision says.`] : []),
    ],
  } as const;
}

const shortEpochs = (iterations: number, epochs: number): string =>
  `nnU-Net's 1000 epochs of ${usualIterations} iterations do not fit into the time: it trains about ${epochs} epochs of ${iterations}, over which its learning rate falls to the end.`;

function figuresOf({ started, prepared, reserved, trained, finished }: Seen): Figures {
  if (!started || !prepared || !trained || !finished) throw new Error('nnU-Net ended without its figures.');
  const { iterations, iterations_per_epoch, epochs, step_seconds, parameters } = trained;
  return {
    training: {
      device: started.device,
      iterations,
      iterations_per_epoch,
      epochs,
      step_seconds,
      preparation_seconds: prepared.seconds,
      prediction_seconds: finished.seconds - trained.seconds,
      reserved_seconds: reserved?.seconds ?? null,
    },
    report: { parameters, peak_memory_bytes: finished.peak_memory_bytes },
  };
}
