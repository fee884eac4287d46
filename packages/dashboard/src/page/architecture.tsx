import type { Drawing } from '../shared/messages.ts';
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

/** An architecture as the U of the paper's Fig. 2, with the memory of each level. */
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
      {drawing === null ? <div class="reserve" /> : <UDrawing drawing={drawing} />}
      {drawing?.bytes && <MemoryByLevel drawing={drawing} />}
    </section>
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
