import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChoiceHistory } from '../shared/messages.ts';
import { colour, useDark, useWidth } from './theme.ts';

const rowHeight = 13;

type Choice = ChoiceHistory['choices'][number];

/** What the controller makes of each choice over time: a row an option, a column a step, the darker the likelier. */
export function Mind({ history }: { readonly history: ChoiceHistory | null }) {
  const [at, setAt] = useState<number | null>(null);
  const isPolicy = history?.source === 'policy';
  const columns = history?.columns ?? [];
  // A run of one network has nothing to choose.
  if (columns.length > 0 && history?.choices.length === 0) return null;
  const column = at === null ? columns.at(-1) : columns.at(at);
  return (
    <section aria-labelledby="mind" class={history === null ? 'loading' : ''}>
      <h2 id="mind">The controller's mind</h2>
      <p class="lead">
        {isPolicy
          ? 'How likely the policy finds each option, step by step: the fuller the colour, the likelier.'
          : 'Which share of the proposed children has each option, step by step: the policy itself is not in this run folder.'}
      </p>
      <div class="scale" aria-hidden="true">
        <span>0</span>
        <i />
        <span>1</span>
        <em>{column === undefined ? '' : `${at === null ? 'last: ' : ''}${stepsText(column)}`}</em>
      </div>
      {history !== null && columns.length === 0 && <p class="quiet">No step is finished yet.</p>}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: pointing shows figures of earlier steps; nothing is done by it. */}
      <div class="mind" onMouseLeave={() => setAt(null)}>
        {history?.choices.map((choice) => (
          <ChoiceMap key={choice.title} choice={choice} at={at ?? columns.length - 1} point={setAt} />
        ))}
      </div>
    </section>
  );
}

const stepsText = ({ from, to }: ChoiceHistory['columns'][number]): string =>
  from === to ? `step ${from}` : `steps ${from} to ${to}`;

interface MapProps {
  readonly choice: Choice;
  /** The column whose figures are said. */
  readonly at: number;
  readonly point: (column: number | null) => void;
}

function ChoiceMap({ choice, at, point }: MapProps) {
  const { title, options } = choice;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box);
  const isDark = useDark();
  const count = options[0]?.values.length ?? 0;
  useEffect(() => {
    if (canvas.current !== null && width > 0) draw(canvas.current, choice, width);
  }, [choice, width, isDark]);
  const likelihood = (values: Choice['options'][number]['values']): number => values.at(at) ?? 0;
  const likeliest = options.reduce((one, other) => (likelihood(other.values) > likelihood(one.values) ? other : one));
  const said = `${likeliest.name}, ${likelihood(likeliest.values).toFixed(2)}`;
  return (
    <div class="choice">
      <div class="name">
        <b>{title}</b>
        <span>{said}</span>
      </div>
      <ul aria-hidden="true">
        {options.map(({ name }) => (
          <li key={name}>{name.replaceAll('_', ' ')}</li>
        ))}
      </ul>
      <div
        ref={box}
        role="img"
        aria-label={`${title}: likeliest is ${said}`}
        onMouseMove={({ offsetX }) => point(Math.min(count - 1, Math.floor((offsetX / Math.max(1, width)) * count)))}
      >
        <canvas ref={canvas} />
      </div>
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, { options }: Choice, width: number): void {
  const ratio = devicePixelRatio;
  const count = options[0]?.values.length ?? 0;
  const height = options.length * rowHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null || count === 0) return;
  context.scale(ratio, ratio);
  context.fillStyle = colour('page');
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour('accent');
  const size = width / count;
  options.forEach(({ values }, row) => {
    values.forEach((value, column) => {
      if (value === null || value === 0) return;
      context.globalAlpha = value;
      context.fillRect(column * size, row * rowHeight, Math.ceil(size), rowHeight - 1);
    });
  });
}
