import { activations } from '../architecture/activations.ts';
import { type Architecture, strideBetween } from '../architecture/architecture.ts';
import { blockOf } from '../architecture/blocks.ts';
import type { Triple } from '../base/geometry.ts';
import type { RunRecord } from '../run/run-record.ts';
import { type Html, html } from './html.ts';

const WIDTH = 800;
const BOX = { width: 216, height: 60 };
const ROW = 100;
/** How far each level moves towards the middle. */
const INDENT = 28;
const HEIGHT = 4 * ROW + BOX.height + 24;

type Point = { readonly x: number; readonly y: number };

/** What of a run's network is the same for all children: its widths, and where its kernels do not reach across slices. */
export type NetworkShape = Pick<RunRecord['network'], 'channels' | 'flat_levels'>;

/** What a level's block is, in words: its kernels and its own choices (macro), or the cell that all levels have (micro). */
export function blockText(
  architecture: Architecture,
  { flat_levels }: NetworkShape,
  part: 'encoder' | 'decoder',
  level: number,
): string {
  const kernels = level < flat_levels ? '1×3×3 · ' : '';
  const block = blockOf(architecture, part, level);
  switch (block.kind) {
    case 'cell':
      return `${kernels}cell`;
    case 'convolutions':
      return `${kernels}dilation ${block.dilation} · ${activations[block.activation].title}`;
  }
}

/** Voxels of the patch at each level, `[depth, height, width]`, after the poolings above it. */
export function levelSizes(architecture: Architecture): readonly Triple[] {
  const { depth, height, width } = architecture.patch;
  return architecture.encoder.map((_, level) => {
    const stride = strideBetween(architecture, 0, level);
    return [Math.ceil(depth / stride[0]), Math.ceil(height / stride[1]), Math.ceil(width / stride[2])];
  });
}

/**
 * Draws an architecture as the U of the paper's Fig. 2: the encoder down the left, the decoder up the right, additions
 * of encoder levels as arrows in the colour of the level they come from.
 */
export function drawArchitecture(architecture: Architecture, network: NetworkShape): Html {
  const sizes = levelSizes(architecture);
  const skips = architecture.decoder.flatMap((level, to) =>
    level.skips.map((from, index) => drawSkip(from, to, index - (level.skips.length - 1) / 2)),
  );
  const box = (part: 'encoder' | 'decoder', corner: (level: number) => Point) => (_: unknown, level: number) => {
    const block = blockText(architecture, network, part, level);
    return drawBox(corner(level), level, { channels: network.channels[level], size: sizes[level], block });
  };
  const encoder = architecture.encoder.map(box('encoder', encoderCorner));
  const decoder = architecture.decoder.map(box('decoder', decoderCorner));
  const strides = architecture.encoder.slice(1).map(({ pool }, i) => drawResampling(i, pool));
  const { depth, height, width } = architecture.patch;
  return html`<div class="scroll"><svg class="u" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="The found architecture">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5L8 4L0 7.5z" fill="context-stroke"/></marker></defs>
${skips}${strides}${encoder}${decoder}
<text class="note" x="${WIDTH / 2}" y="${24}" text-anchor="middle">patch ${depth} × ${height} × ${width}</text>
</svg></div>`;
}

function encoderCorner(level: number): Point {
  return { x: level === 4 ? (WIDTH - BOX.width) / 2 : 2 + level * INDENT, y: 12 + level * ROW };
}

function decoderCorner(level: number): Point {
  return { x: WIDTH - 2 - BOX.width - level * INDENT, y: 12 + level * ROW };
}

/** What stands in the box of a level. */
interface BoxText {
  readonly channels: number;
  readonly size: Triple;
  readonly block: string;
}

function drawBox(corner: Point, level: number, { channels, size, block }: BoxText): Html {
  return html`<g transform="translate(${corner.x} ${corner.y})">
<rect class="box" width="${BOX.width}" height="${BOX.height}" rx="9"/><rect class="fill level${level}" width="5" height="${BOX.height - 18}" x="9" y="9" rx="2.5"/>
<text class="strong" x="24" y="25">${channels} channels</text><text class="tick" x="${BOX.width - 12}" y="25" text-anchor="end">${size.join('×')}</text>
<text class="label" x="24" y="46">${block}</text></g>`;
}

/** The pooling from level `upper` to the one below it, and its way back up. */
function drawResampling(upper: number, pool: { readonly depth: number; readonly plane: number }): Html {
  const stride = `${pool.depth}×${pool.plane}×${pool.plane}`;
  const [top, bottom] = [12 + upper * ROW + BOX.height + 3, 12 + (upper + 1) * ROW - 4];
  const toBottleneck = upper === 3;
  const x = encoderCorner(upper).x + INDENT + 28;
  const down = toBottleneck
    ? `M${x} ${top}V${bottom + BOX.height / 2 - 6}q0 10 10 10H${encoderCorner(4).x - 5}`
    : `M${x} ${top}V${bottom}`;
  const up = toBottleneck
    ? `M${encoderCorner(4).x + BOX.width + 3} ${bottom + BOX.height / 2 + 4}H${WIDTH - x - 10}q10 0 10 -10V${top + 1}`
    : `M${WIDTH - x} ${bottom + 3}V${top + 1}`;
  const middle = (top + bottom) / 2 + 4;
  return html`<path class="flow" d="${down}"/><path class="flow" d="${up}"/>
<text class="tick" x="${x + 9}" y="${middle}">pool ${stride}</text><text class="tick" x="${WIDTH - x - 9}" y="${middle}" text-anchor="end">up ${stride}</text>`;
}

/** An addition of encoder level `from` to decoder level `to`; `lane` keeps arrows that end at one box apart. */
function drawSkip(from: number, to: number, lane: number): Html {
  const bottleneck = from === 4;
  const corner = encoderCorner(from);
  const start = bottleneck
    ? { x: corner.x + BOX.width / 2 + to * 12 - 18, y: corner.y - 2 }
    : { x: corner.x + BOX.width + 2, y: corner.y + BOX.height / 2 + (to - from) * 5 };
  const end = { x: decoderCorner(to).x - 4, y: decoderCorner(to).y + BOX.height / 2 + lane * 11 };
  const bend = bottleneck ? `C${start.x} ${start.y - 60}` : `C${start.x + (end.x - start.x) * 0.5} ${start.y}`;
  return html`<path class="skip level${from}" d="M${start.x} ${start.y}${bend} ${start.x + (end.x - start.x) * 0.5} ${end.y} ${end.x} ${end.y}"><title>Encoder level ${from} is added to decoder level ${to}</title></path>`;
}
