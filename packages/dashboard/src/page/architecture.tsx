import type { Drawing, DrawnNetwork } from '../shared/messages.ts';
import { Cell } from './cell-drawing.tsx';
import { bytes, duration, percent } from './format.ts';
import { Scroll } from './scroll.tsx';
import { UDrawing } from './u-drawing.tsx';

interface Props {
  readonly drawing: Drawing | null;
  readonly problem: string | null;
  /** Whether a child was chosen, in place of the best. */
  readonly isChosen: boolean;
  readonly reset: () => void;
  /** On the architecture. */
  readonly note?: string;
}

/** An architecture as the U of the paper's Fig. 2, with the memory of each level, its cell, and what it is joined with. */
export function Architecture({ drawing, problem, isChosen, reset, note }: Props) {
  return (
    <section aria-labelledby="architecture" class="architecture">
      <div class="headline">
        <h2 id="architecture">Architecture</h2>
        <div class="tools">
          {isChosen && (
            <button type="button" onClick={reset}>
              Back to the best
            </button>
          )}
        </div>
      </div>
      <p class="lead" aria-live="polite" data-drawn={drawing?.title}>
        {drawing === null ? 'Drawn as soon as a child was evaluated.' : `${drawing.title}${figuresText(drawing)}`}
      </p>
      {note !== undefined && <p class="lead">{note}</p>}
      {problem !== null && <p class="problem">{problem}</p>}
      <ArrowTip />
      {drawing === null ? <div class="reserve" /> : <Network network={drawing} name={drawing.title} />}
      {drawing?.bytes && <MemoryByLevel drawing={drawing} />}
      {drawing?.beside && <Beside network={drawing.beside} />}
    </section>
  );
}

function Network({ network, name }: { readonly network: DrawnNetwork; readonly name: string }) {
  return (
    <>
      <UDrawing network={network} name={name} />
      {network.cell !== null && <Cell cell={network.cell} network={name} />}
    </>
  );
}

/** The network that it is joined with. */
function Beside({ network }: { readonly network: NonNullable<Drawing['beside']> }) {
  return (
    <>
      <h3>The network beside it</h3>
      <p class="lead">
        It sees scans downsampled by {network.downsampling.join('×')}; the logits are the mean of both.
      </p>
      <Network network={network} name="The network beside it" />
    </>
  );
}

/** The tip of the arrows of all drawings. */
function ArrowTip() {
  return (
    <svg class="tip" width="0" height="0" aria-hidden="true">
      <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
        <path d="M0 0.5L8 4L0 7.5z" fill="context-stroke" />
      </marker>
    </svg>
  );
}

function figuresText({ child }: Drawing): string {
  if (child === null) return '';
  const parts = [`Dice ${percent(child.reward)} %`];
  if (child.coarse) parts.push('at half the resolution');
  if (child.memory !== null) parts.push(`${bytes(child.memory)} alone`);
  if (child.seconds !== null) parts.push(`evaluated in ${duration(child.seconds)}`);
  return ` · ${parts.join(' · ')}`;
}

/** Bars of what each level keeps for the backward pass. */
function MemoryByLevel({ drawing: { levels, bytes: kept } }: { readonly drawing: Drawing }) {
  if (kept === null) return null;
  const most = Math.max(1, ...kept.flatMap(({ encoder, decoder }) => [encoder, decoder]));
  const bar = (value: number, part: string, level: number) => (
    <td>
      <span class="track">
        <progress
          class={`tone level${level % 5}`}
          max={most}
          value={value}
          aria-label={`${part} level ${level}: ${bytes(value)}`}
        />
      </span>
      <span class="number">{bytes(value)}</span>
    </td>
  );
  return (
    <Scroll name="Memory by level">
      <table class="memory">
        <caption>Features that a training patch keeps for the backward pass, by level</caption>
        <thead>
          <tr>
            <th scope="col">level</th>
            <th scope="col">encoder</th>
            <th scope="col">decoder</th>
          </tr>
        </thead>
        <tbody>
          {kept.map(({ encoder, decoder }, level) => (
            <tr key={String(level)}>
              <th scope="row">
                {level} · {levels[level]?.channels ?? ''} channels
              </th>
              {bar(encoder, 'encoder', level)}
              {levels[level]?.decoder === undefined ? <td>–</td> : bar(decoder, 'decoder', level)}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
