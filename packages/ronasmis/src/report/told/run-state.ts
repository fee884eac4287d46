import { classNamesOf, kindOf, proposerOf, type RunRecord } from '../../run/run-record.ts';
import type { Known } from './known.ts';
import type { RunState, RunSummary, Standing } from './messages.ts';

/** What does not stand in the figures of a run. */
export interface Circumstances {
  readonly standing: Standing;
  readonly problem: string | null;
  readonly version: number;
}

/** Where a run stands, of what is known of it. */
export function stateOf(folder: string, known: Known, { standing, problem, version }: Circumstances): RunState {
  const { run, report, last, children } = known;
  return {
    folder,
    standing: report !== null && standing !== 'gone' ? 'finished' : standing,
    run: run && summaryOf(run),
    progress: standing === 'running' ? known.progress : null,
    seconds: report?.seconds ?? last?.seconds ?? 0,
    steps: last?.step ?? 0,
    trainingSteps: last?.steps ?? 0,
    children: children.length,
    peakMemory: report?.peak_memory_bytes ?? last?.peak_memory_bytes ?? 0,
    augmented: last?.augmented ?? false,
    coarse: last?.coarse ?? false,
    warnings: warningsOf(known),
    problem,
    result: report && {
      testDice: report.test_dice.mean,
      validationDice: report.validation_dice.mean,
      parameters: report.parameters,
    },
    version,
  };
}

function summaryOf(run: RunRecord): RunSummary {
  const { settings, engine } = run;
  return {
    created: run.created,
    dataSet: settings.data_set,
    kind: kindOf(settings),
    controller: proposerOf(run),
    space: settings.space,
    system: settings.system ?? null,
    device: `${engine.device}, ${engine.cpu}`,
    precision: engine.precision,
    timeBudget: settings.time_seconds,
    epochBudget: settings.epochs,
    memoryBudget: settings.memory_bytes ?? null,
    fold: settings.fold,
    folds: settings.folds,
    classNames: classNamesOf(run),
  };
}

function warningsOf({ run, outOfMemory }: Known): readonly string[] {
  const left =
    outOfMemory > 0
      ? [`Memory did not suffice for ${outOfMemory} training steps and evaluations, which were left out.`]
      : [];
  return [...(run?.warnings ?? []), ...left];
}
