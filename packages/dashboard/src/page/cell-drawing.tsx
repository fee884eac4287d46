import type { DrawnCell } from '../shared/messages.ts';
import { Scroll } from './scroll.tsx';

const box = { height: 60, top: 50 };
const nodeWidth = 176;
/** Of the cell's input and output. */
const endWidth = 84;
const gap = 26;
const height = 2 * box.top + box.height;
/** Baselines of a node's two operations. */
const rows = [25, 46];

/** Of the micro space: what stands in every box of the U of `network`. */
export function Cell({ cell, network }: { readonly cell: DrawnCell; readonly network: string }) {
  return (
    <>
      <h3>Its cell</h3>
      <p class="lead">
        The same at every level. A node adds its two operations; what no node takes in is added up into the output.
      </p>
      <Scroll name={`Drawing of the cell of ${network}`}>
        <CellDrawing cell={cell} />
      </Scroll>
    </>
  );
}

/**
 * A cell as a graph from left to right: its input, its nodes with their two operations, its output. Arrows have the colour of what they come from;
 * those that pass over a box run above for a node's first operation, and below for its second.
 */
function CellDrawing({ cell: { nodes, looseEnds } }: { readonly cell: DrawnCell }) {
  const output = nodes.length + 1;
  return (
    <svg class="u" viewBox={`0 0 ${left(output) + endWidth} ${height}`} role="img" aria-label={inWords(nodes)}>
      <End at={0} name="input" />
      {nodes.map((terms, index) => (
        <g key={String(index)} transform={`translate(${left(index + 1)} ${box.top})`}>
          <rect class="box" width={nodeWidth} height={box.height} rx="9" />
          {terms.map(({ operation }, slot) => (
            <text key={String(slot)} class="tick" x="10" y={rows[slot]}>
              {operation}
            </text>
          ))}
        </g>
      ))}
      <End at={output} name="output" />
      {nodes.flatMap((terms, index) =>
        terms.map(({ input }, slot) => (
          <Arrow
            key={`${index} ${slot}`}
            from={input}
            to={index + 1}
            side={slot === 0 ? 'above' : 'below'}
            row={rows[slot] - 4}
          />
        )),
      )}
      {looseEnds.map((node) => (
        <Arrow key={`end ${node}`} from={node} to={output} side="above" row={box.height / 2} />
      ))}
    </svg>
  );
}

/** The drawing for who does not see it. */
function inWords(nodes: DrawnCell['nodes']): string {
  const source = (input: number): string => (input === 0 ? 'the input' : `node ${input}`);
  const parts = nodes.map(
    (terms, index) =>
      `node ${index + 1}: ${terms.map(({ operation, input }) => `${operation} of ${source(input)}`).join(' plus ')}`,
  );
  return `The cell of every level: ${parts.join('; ')}.`;
}

/** Left edge of a box: 0 is the input's, then the nodes', then the output's. */
const left = (index: number): number => (index === 0 ? 0 : endWidth + gap + (index - 1) * (nodeWidth + gap));

function End({ at, name }: { readonly at: number; readonly name: string }) {
  return (
    <g transform={`translate(${left(at)} ${box.top})`}>
      <rect class="box" width={endWidth} height={box.height} rx="9" />
      <text class="strong" x={endWidth / 2} y="35" text-anchor="middle">
        {name}
      </text>
    </g>
  );
}

interface ArrowProps {
  readonly from: number;
  readonly to: number;
  readonly side: 'above' | 'below';
  /** Where in the height of its box a neighbour's arrow ends. */
  readonly row: number;
}

function Arrow({ from, to, side, row }: ArrowProps) {
  const width = from === 0 ? endWidth : nodeWidth;
  const end = left(to);
  const isNext = to === from + 1;
  const edge = side === 'above' ? box.top - 3 : box.top + box.height + 3;
  const bend = side === 'above' ? 6 : height - 6;
  const start = left(from) + width / 2;
  const path = isNext
    ? `M${left(from) + width + 2} ${box.top + box.height / 2}L${end - 3} ${box.top + row}`
    : `M${start} ${edge}C${start} ${bend} ${end + 24} ${bend} ${end + 24} ${edge}`;
  return <path class={`skip level${from}`} d={path} />;
}
