import { type Cell, looseEnds, operations } from '../architecture/cell.ts';
import { type Html, html } from './html.ts';

const BOX = { height: 60, top: 50 };
const NODE_WIDTH = 176;
/** Of the cell's input and output. */
const END_WIDTH = 84;
const GAP = 26;
const HEIGHT = 2 * BOX.top + BOX.height;
/** Baselines of a node's two operations. */
const ROWS = [25, 46];

/**
 * Draws a cell as a graph from left to right: its input, its nodes with their two operations, its output. Arrows have the colour of
 * what they come from; those that pass over a box run above for a node's first operation, and below for its second.
 */
export function drawCell(cell: Cell): Html {
  const output = cell.length + 1;
  const arrows = cell.flatMap((terms, index) =>
    terms.map(({ input }, slot) => drawArrow(input, index + 1, slot === 0 ? 'above' : 'below', ROWS[slot] - 4)),
  );
  const ends = looseEnds(cell).map((node) => drawArrow(node, output, 'above', BOX.height / 2));
  const boxes = cell.map((terms, index) => {
    const rows = terms.map(
      ({ operation }, slot) => html`<text class="tick" x="10" y="${ROWS[slot]}">${operations[operation].name}</text>`,
    );
    return html`<g transform="translate(${left(index + 1)} ${BOX.top})"><rect class="box" width="${NODE_WIDTH}" height="${BOX.height}" rx="9"/>${rows}</g>`;
  });
  return html`<div class="scroll"><svg class="u" viewBox="0 0 ${left(output) + END_WIDTH} ${HEIGHT}" role="img" aria-label="The cell of every level">
${drawEnd(0, 'input')}${boxes}${drawEnd(output, 'output')}${arrows}${ends}</svg></div>`;
}

/** Left edge of a box: 0 is the input's, then the nodes', then the output's. */
function left(index: number): number {
  return index === 0 ? 0 : END_WIDTH + GAP + (index - 1) * (NODE_WIDTH + GAP);
}

function drawEnd(index: number, name: string): Html {
  return html`<g transform="translate(${left(index)} ${BOX.top})"><rect class="box" width="${END_WIDTH}" height="${BOX.height}" rx="9"/><text class="strong" x="${END_WIDTH / 2}" y="35" text-anchor="middle">${name}</text></g>`;
}

/** An arrow from box `from` to box `to`; `row` is where in its height a neighbour's arrow ends. */
function drawArrow(from: number, to: number, side: 'above' | 'below', row: number): Html {
  const width = from === 0 ? END_WIDTH : NODE_WIDTH;
  const end = left(to);
  if (to === from + 1) {
    const start = { x: left(from) + width, y: BOX.top + BOX.height / 2 };
    return html`<path class="skip level${from}" d="M${start.x + 2} ${start.y}L${end - 3} ${BOX.top + row}"/>`;
  }
  const edge = side === 'above' ? BOX.top - 3 : BOX.top + BOX.height + 3;
  const bend = side === 'above' ? 6 : HEIGHT - 6;
  const start = left(from) + width / 2;
  return html`<path class="skip level${from}" d="M${start} ${edge}C${start} ${bend} ${end + 24} ${bend} ${end + 24} ${edge}"/>`;
}
