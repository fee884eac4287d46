import type { Architecture } from '../architecture/architecture.ts';
import { patchOf } from '../architecture/patch.ts';
import type { Triple } from '../base/geometry.ts';
import { type Html, html } from './html.ts';
import { type Level, levelsOf, type NetworkShape } from './levels.ts';

const WIDTH = 800;
const BOX = { width: 216, height: 60 };
const ROW = 100;
/** How far each level moves towards the middle. */
const INDENT = 28;
/** Of a letter of a box's second line, about. */
const letterWidth = 7;

type Point = { readonly x: number; readonly y: number };

/**
 * Draws an architecture as the U of the paper's Fig. 2: the encoder down the left, the decoder up the right, encoder levels that are
 * taken in as arrows in the colour of the level they come from.
 */
export function drawArchitecture(architecture: Architecture, network: NetworkShape): Html {
  const levels = levelsOf(architecture, network);
  const [lowest, isChild] = [levels.length - 1, architecture.kind === undefined];
  const how = isChild ? 'added' : 'joined';
  const skips = levels.flatMap(({ decoder }, to) =>
    (decoder?.skips ?? []).map((from, index, { length }) =>
      drawSkip({ from, to, lowest }, index - (length - 1) / 2, how),
    ),
  );
  const encoder = levels.map((level, at) => drawBox(encoderCorner(at, lowest), at, { ...level, block: level.encoder }));
  const decoder = levels.flatMap(({ decoder, ...level }, at) =>
    decoder ? [drawBox(decoderCorner(at), at, { ...level, block: decoder.block })] : [],
  );
  const resampling = levels.slice(1).map(({ stride }, upper) => {
    return drawResampling({ upper, lowest }, stride, isChild ? 'pool' : 'stride');
  });
  const height = lowest * ROW + BOX.height + 24;
  return html`<div class="scroll"><svg class="u" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="The architecture">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5L8 4L0 7.5z" fill="context-stroke"/></marker></defs>
${skips}${resampling}${encoder}${decoder}
<text class="note" x="${WIDTH / 2}" y="${24}" text-anchor="middle">patch ${patchOf(architecture).join(' × ')}</text>
</svg></div>`;
}

function encoderCorner(level: number, lowest: number): Point {
  return { x: level === lowest ? (WIDTH - BOX.width) / 2 : 2 + level * INDENT, y: 12 + level * ROW };
}

function decoderCorner(level: number): Point {
  return { x: WIDTH - 2 - BOX.width - level * INDENT, y: 12 + level * ROW };
}

/** What stands in the box of a level. */
type BoxText = Pick<Level, 'channels' | 'size'> & { readonly block: string };

function drawBox(corner: Point, level: number, { channels, size, block }: BoxText): Html {
  // A text that is about to leave its box is drawn narrower.
  const room = BOX.width - 36;
  const narrower =
    block.length * letterWidth > room ? html` textLength="${room}" lengthAdjust="spacingAndGlyphs"` : html``;
  return html`<g transform="translate(${corner.x} ${corner.y})">
<rect class="box" width="${BOX.width}" height="${BOX.height}" rx="9"/><rect class="fill level${level % 5}" width="5" height="${BOX.height - 18}" x="9" y="9" rx="2.5"/>
<text class="strong" x="24" y="25">${channels} channels</text><text class="tick" x="${BOX.width - 12}" y="25" text-anchor="end">${size.join('×')}</text>
<text class="label" x="24" y="46"${narrower}>${block}</text></g>`;
}

/** The way from level `upper` to the one below it, and back up. */
function drawResampling(
  { upper, lowest }: { readonly upper: number; readonly lowest: number },
  by: Triple,
  how: 'pool' | 'stride',
): Html {
  const stride = by.join('×');
  const [top, bottom] = [12 + upper * ROW + BOX.height + 3, 12 + (upper + 1) * ROW - 4];
  const below = encoderCorner(lowest, lowest).x;
  const toBottleneck = upper === lowest - 1;
  const x = encoderCorner(upper, lowest).x + INDENT + 28;
  const down = toBottleneck
    ? `M${x} ${top}V${bottom + BOX.height / 2 - 6}q0 10 10 10H${below - 5}`
    : `M${x} ${top}V${bottom}`;
  const up = toBottleneck
    ? `M${below + BOX.width + 3} ${bottom + BOX.height / 2 + 4}H${WIDTH - x - 10}q10 0 10 -10V${top + 1}`
    : `M${WIDTH - x} ${bottom + 3}V${top + 1}`;
  const middle = (top + bottom) / 2 + 4;
  return html`<path class="flow" d="${down}"/><path class="flow" d="${up}"/>
<text class="tick" x="${x + 9}" y="${middle}">${how} ${stride}</text><text class="tick" x="${WIDTH - x - 9}" y="${middle}" text-anchor="end">up ${stride}</text>`;
}

/** Encoder level `from`, which decoder level `to` takes in; `lane` keeps arrows that end at one box apart. */
function drawSkip(
  { from, to, lowest }: { readonly from: number; readonly to: number; readonly lowest: number },
  lane: number,
  how: 'added' | 'joined',
): Html {
  const bottleneck = from === lowest;
  const corner = encoderCorner(from, lowest);
  const start = bottleneck
    ? { x: corner.x + BOX.width / 2 + to * 12 - 18, y: corner.y - 2 }
    : { x: corner.x + BOX.width + 2, y: corner.y + BOX.height / 2 + (to - from) * 5 };
  const end = { x: decoderCorner(to).x - 4, y: decoderCorner(to).y + BOX.height / 2 + lane * 11 };
  const bend = bottleneck ? `C${start.x} ${start.y - 60}` : `C${start.x + (end.x - start.x) * 0.5} ${start.y}`;
  return html`<path class="skip level${from % 5}" d="M${start.x} ${start.y}${bend} ${start.x + (end.x - start.x) * 0.5} ${end.y} ${end.x} ${end.y}"><title>Encoder level ${from} is ${how} to decoder level ${to}</title></path>`;
}
