import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { DrawnNetwork } from '../shared/messages.ts';
import { Scroll } from './scroll.tsx';

const width = 800;
const box = { width: 216, height: 60 };
/** That a text has in a box. */
const room = box.width - 36;
const row = 100;
/** How far each level moves towards the middle. */
const indent = 28;

type Levels = DrawnNetwork['levels'];

/** The encoder down the left, the decoder up the right, skips as arrows in the colour of the level that they come from. */
export function UDrawing({ network, name }: { readonly network: DrawnNetwork; readonly name: string }) {
  const { levels, isChild, patch } = network;
  const lowest = levels.length - 1;
  return (
    <Scroll name={`Drawing of ${name}`}>
      <svg
        class="u"
        viewBox={`0 0 ${width} ${lowest * row + box.height + 24}`}
        role="img"
        aria-label={inWords(network, name)}
      >
        {levels.flatMap(({ decoder }, to) =>
          (decoder?.skips ?? []).map((from, index, { length }) => (
            <Skip
              key={`${from}-${to}`}
              from={from}
              to={to}
              lowest={lowest}
              lane={index - (length - 1) / 2}
              how={isChild ? 'added' : 'joined'}
            />
          )),
        )}
        {levels.slice(1).map(({ stride }, upper) => (
          <Resampling
            key={String(upper)}
            upper={upper}
            lowest={lowest}
            by={stride.join('×')}
            how={isChild ? 'pool' : 'stride'}
          />
        ))}
        {levels.map((level, at) => (
          <Box
            key={`e${at}`}
            corner={encoderCorner(at, lowest)}
            level={at}
            channels={level.channels}
            size={level.size}
            text={level.encoder}
          />
        ))}
        {levels.map(({ decoder, channels, size }, at) =>
          decoder === undefined ? null : (
            <Box
              key={`d${at}`}
              corner={decoderCorner(at)}
              level={at}
              channels={channels}
              size={size}
              text={decoder.block}
            />
          ),
        )}
        <text class="note" x={width / 2} y={24} text-anchor="middle">
          patch {patch.join(' × ')}
        </text>
      </svg>
    </Scroll>
  );
}

/** The drawing for who does not see it. */
function inWords({ levels, patch }: DrawnNetwork, name: string): string {
  const parts = levels.map(({ channels, size, encoder, decoder }, level) => {
    const up =
      decoder === undefined
        ? ''
        : `; decoder ${decoder.block}, takes in encoder levels ${decoder.skips.join(', ') || 'none'}`;
    return `level ${level}: ${channels} channels, ${size.join(' by ')}, encoder ${encoder}${up}`;
  });
  return `${name}, patch ${patch.join(' by ')}. ${parts.join('. ')}.`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const encoderCorner = (level: number, lowest: number): Point => ({
  x: level === lowest ? (width - box.width) / 2 : 2 + level * indent,
  y: 12 + level * row,
});

const decoderCorner = (level: number): Point => ({ x: width - 2 - box.width - level * indent, y: 12 + level * row });

interface BoxProps {
  readonly corner: Point;
  readonly level: number;
  readonly channels: number;
  readonly size: Levels[number]['size'];
  readonly text: string;
}

function Box({ corner, level, channels, size, text }: BoxProps) {
  return (
    <g transform={`translate(${corner.x} ${corner.y})`}>
      <rect class="box" width={box.width} height={box.height} rx="9" />
      <rect class={`fill level${level % 5}`} width="5" height={box.height - 18} x="9" y="9" rx="2.5" />
      <text class="strong" x="24" y="25">
        {channels} channels
      </text>
      <text class="tick" x={box.width - 12} y="25" text-anchor="end">
        {size.join('×')}
      </text>
      <Fitted key={text} text={text} />
    </g>
  );
}

/** What is done at a level, drawn narrower where it would leave its box: how wide it is, the fonts of the reader say. */
function Fitted({ text }: { readonly text: string }) {
  const element = useRef<SVGTextElement>(null);
  const [isWide, setWide] = useState(false);
  useLayoutEffect(() => setWide((element.current?.getComputedTextLength() ?? 0) > room), []);
  return (
    <text
      ref={element}
      class="label"
      x="24"
      y="46"
      {...(isWide && { textLength: room, lengthAdjust: 'spacingAndGlyphs' as const })}
    >
      {text}
    </text>
  );
}

interface ResamplingProps {
  readonly upper: number;
  readonly lowest: number;
  readonly by: string;
  readonly how: string;
}

/** The way from level `upper` to the one below it, and back up. */
function Resampling({ upper, lowest, by, how }: ResamplingProps) {
  const [top, bottom] = [12 + upper * row + box.height + 3, 12 + (upper + 1) * row - 4];
  const below = encoderCorner(lowest, lowest).x;
  const toBottleneck = upper === lowest - 1;
  const x = encoderCorner(upper, lowest).x + indent + 28;
  const down = toBottleneck
    ? `M${x} ${top}V${bottom + box.height / 2 - 6}q0 10 10 10H${below - 5}`
    : `M${x} ${top}V${bottom}`;
  const up = toBottleneck
    ? `M${below + box.width + 3} ${bottom + box.height / 2 + 4}H${width - x - 10}q10 0 10 -10V${top + 1}`
    : `M${width - x} ${bottom + 3}V${top + 1}`;
  const middle = (top + bottom) / 2 + 4;
  return (
    <g>
      <path class="flow" d={down} />
      <path class="flow" d={up} />
      <text class="tick" x={x + 9} y={middle}>
        {how} {by}
      </text>
      <text class="tick" x={width - x - 9} y={middle} text-anchor="end">
        up {by}
      </text>
    </g>
  );
}

interface SkipProps {
  readonly from: number;
  readonly to: number;
  readonly lowest: number;
  /** Keeps arrows that end at one box apart. */
  readonly lane: number;
  readonly how: string;
}

/** Encoder level `from`, which decoder level `to` takes in. */
function Skip({ from, to, lowest, lane, how }: SkipProps) {
  const isLowest = from === lowest;
  const corner = encoderCorner(from, lowest);
  const start = isLowest
    ? { x: corner.x + box.width / 2 + to * 12 - 18, y: corner.y - 2 }
    : { x: corner.x + box.width + 2, y: corner.y + box.height / 2 + (to - from) * 5 };
  const end = { x: decoderCorner(to).x - 4, y: decoderCorner(to).y + box.height / 2 + lane * 11 };
  const half = start.x + (end.x - start.x) * 0.5;
  const bend = isLowest ? `C${start.x} ${start.y - 60}` : `C${half} ${start.y}`;
  return (
    <path class={`skip level${from % 5}`} d={`M${start.x} ${start.y}${bend} ${half} ${end.y} ${end.x} ${end.y}`}>
      <title>{`Encoder level ${from} is ${how} to decoder level ${to}`}</title>
    </path>
  );
}
