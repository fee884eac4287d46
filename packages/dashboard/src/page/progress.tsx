import type { ResultTile, RunState } from '../shared/messages.ts';
import { bytes, duration, percent, plural } from './format.ts';
import type { Run } from './use-run.ts';

const phases = {
  prepare: 'Reading scans',
  race: 'Trying kernels',
  train: 'Training',
  evaluate: 'Evaluating children',
  final: 'Segmenting test cases',
} as const;

const standings = {
  waiting: { title: 'Waiting', note: 'There is no run in this folder yet: it is shown as soon as one begins.' },
  running: { title: 'Running', note: '' },
  stopped: { title: 'Stopped', note: 'No process works on it. It goes on by ronasmis resume and its folder.' },
  finished: { title: 'Finished', note: '' },
  gone: { title: 'Gone', note: 'Its folder was removed or moved. What was read of it before is still shown.' },
} as const;

/** Where a run stands: its phase, its time and memory against what it may take, and what is odd. */
export function Progress({ run, name }: { readonly run: Run; readonly name: string }) {
  const { state, isConnected } = run;
  const standing = standings[state?.standing ?? 'waiting'];
  return (
    <section class="hero" aria-labelledby="title">
      <div class="headline">
        <h1 id="title">{name}</h1>
        <span class={`badge ${state?.standing ?? 'waiting'}`} role="status">
          {state === null ? 'Connecting' : standing.title}
        </span>
      </div>
      <p class="lead">{state === null ? ' ' : leadOf(state)}</p>
      <Bars state={state} />
      <dl class="tiles">
        <Tile
          name="Best Dice of the last step"
          value={bestOf(run)}
          note={state?.coarse ? '%, at half the resolution' : '%, validation'}
        />
        <Tile
          name="Test Dice"
          value={percent(state?.result?.testDice)}
          note={state?.result ? '%, cases never seen' : 'at the end'}
        />
        <Tile
          name="Controller steps"
          value={String(state?.steps ?? 0)}
          note={plural(state?.trainingSteps ?? 0, 'training step')}
        />
        <Tile
          name="Children evaluated"
          value={(state?.children ?? 0).toLocaleString('en')}
          note={state?.augmented ? 'patches are augmented now' : 'patches are mirrored only'}
        />
        <Tile
          name="Device"
          value={state?.run?.device.split(',')[0] ?? '–'}
          note={state?.run ? `${state.run.precision},${state.run.device.split(',').slice(1).join(',')}` : ''}
        />
      </dl>
      <div class="notes" aria-live="polite">
        {standing.note !== '' && state !== null && <p class="quiet">{standing.note}</p>}
        {!isConnected && (
          <p class="problem">
            The page's server has ended. Open it again by <code>ronasmis dashboard</code> and the folder.
          </p>
        )}
        {state?.problem && <p class="problem">{state.problem}</p>}
        {state !== null && state.warnings.length > 0 && <Warnings sentences={state.warnings} />}
      </div>
    </section>
  );
}

function leadOf({ run, folder }: RunState): string {
  if (run === null) return folder;
  const what = {
    search: `Search by ${run.controller} in the ${run.space} space`,
    cell_search: 'Search of cells by gradients',
    training: 'Training of one network',
  }[run.kind];
  const by = run.system === null ? '' : `, ${run.system}`;
  return `${what}${by} · fold ${run.fold} of ${run.folds} held out as the test set · begun ${run.created.replace('T', ' ').slice(0, 16)} UTC`;
}

const bestOf = ({ rows }: Run): string => percent(rows.findLast(({ best }) => best !== null)?.best);

/** A figure with its name and a few words on it. */
export function Tile({ name, value, note }: ResultTile) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        <small>{note}</small>
      </dd>
    </div>
  );
}

/** What was odd, folded away. */
export function Warnings({ sentences }: { readonly sentences: readonly string[] }) {
  return (
    <details class="warnings">
      <summary>{plural(sentences.length, 'warning')}</summary>
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}

/** Phase, time and memory as bars. */
function Bars({ state }: { readonly state: RunState | null }) {
  const { progress = null, run = null } = state ?? {};
  const phase = progress === null ? '–' : phases[progress.phase];
  const step = progress !== null && progress.step > 0 ? `, step ${progress.step}` : '';
  const left = progress?.seconds_left ?? null;
  const spent =
    progress !== null && left !== null && run?.timeBudget != null
      ? Math.max(state?.seconds ?? 0, run.timeBudget - left)
      : (state?.seconds ?? 0);
  const time = run?.timeBudget != null ? `${duration(spent)} of ${duration(run.timeBudget)}` : duration(spent);
  const steps = run?.epochBudget != null ? ` · ${state?.steps ?? 0} of ${plural(run.epochBudget, 'step')}` : '';
  const share =
    run?.timeBudget != null
      ? spent / run.timeBudget
      : run?.epochBudget != null
        ? (state?.steps ?? 0) / run.epochBudget
        : null;
  const peak = state?.peakMemory ?? 0;
  const memory = run?.memoryBudget != null ? `${bytes(peak)} of ${bytes(run.memoryBudget)}` : bytes(peak);
  return (
    <div class="bars">
      <Bar
        name="Phase"
        share={progress === null ? null : progress.done / Math.max(1, progress.total)}
        text={progress === null ? phase : `${phase}${step} · ${progress.done} of ${progress.total}`}
      />
      <Bar
        name="Time"
        share={share}
        text={`${time}${steps}${left === null ? '' : ` · about ${duration(left)} left`}`}
      />
      <Bar name="Peak memory" share={run?.memoryBudget != null ? peak / run.memoryBudget : null} text={memory} />
    </div>
  );
}

function Bar({ name, share, text }: { readonly name: string; readonly share: number | null; readonly text: string }) {
  const part = Math.round(100 * Math.min(1, Math.max(0, share ?? 0)));
  return (
    <div class="bar">
      <span>{name}</span>
      <progress max={100} value={part} aria-label={`${name}: ${text}`} />
      <b>{text}</b>
    </div>
  );
}
