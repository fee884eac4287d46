import type { ChildArchitecture } from '../architecture/architecture.ts';
import {
  type Cell,
  cellNodes,
  type OperationName,
  operationNames,
  operations,
  sourceName,
  type Term,
} from '../architecture/cell.ts';
import type { NetworkDimensions } from '../architecture/dimensions.ts';
import type { Triple } from '../base/geometry.ts';
import { defaultRecipe, type Recipe } from '../recipe/recipe.ts';
import { macroSpace } from './macro.ts';
import { admittedOptions, type Decision, noLimits, type SearchSpace, type SpaceLimits } from './space.ts';
import { allSkips } from './table1.ts';

const operationCount = operationNames.length;

/**
 * All decisions of a cell in the order that the controller makes them, as in ENAS: node by node its two inputs, then its two
 * operations. The first node has but one input to choose.
 */
const decisions: readonly Decision[] = Array.from({ length: cellNodes }, (_, index) => nodeDecisions(index + 1)).flat();

function nodeDecisions(node: number): readonly Decision[] {
  const operation = (slot: 0 | 1): Decision => {
    const words = {
      title: titleOfTerm('operation', slot, node),
      options: operationNames.map((name) => operations[name].name),
    };
    return { choice: 'operation', options: operationCount, words };
  };
  if (node === 1) return [operation(0), operation(1)];
  // The cell's input, which nothing was decided about, and the nodes so far.
  const sources = [null, ...Array.from({ length: node - 1 }, (_, before) => placesOf(before + 1).operations[1] + 1)];
  const input = (slot: 0 | 1): Decision => {
    const words = { title: titleOfTerm('input', slot, node), options: sources.map((_, index) => sourceName(index)) };
    return { choice: `input of node ${node}`, options: node, sources, words };
  };
  return [input(0), input(1), operation(0), operation(1)];
}

/** A choice of a node in words. */
export function titleOfTerm(what: 'input' | 'operation', slot: 0 | 1, node: number): string {
  return `${what} ${slot + 1} of node ${node}`;
}

/** Where among the decisions those of a node stand, counted from 1; the first has none on its inputs. */
function placesOf(node: number): { readonly inputs: readonly number[]; readonly operations: readonly number[] } {
  if (node === 1) return { inputs: [], operations: [0, 1] };
  const first = 2 + 4 * (node - 2);
  return { inputs: [first, first + 1], operations: [first + 2, first + 3] };
}

/** Two residual convolutions, and the cell's input once more: what a block of the plain U-Net is nearest to. */
const baseCell: Cell = [
  [
    { operation: 'convolution', input: 0 },
    { operation: 'identity', input: 0 },
  ],
  [
    { operation: 'convolution', input: 1 },
    { operation: 'identity', input: 1 },
  ],
  [
    { operation: 'identity', input: 2 },
    { operation: 'identity', input: 0 },
  ],
];

/** An operation of each size of kernel. */
const coveringOperations = ['convolution', 'pointwise_convolution'] as const satisfies readonly OperationName[];

/** A cell that does the same everywhere. */
function uniformCell(operation: OperationName): Cell {
  const term: Term = { operation, input: 0 };
  return Array.from({ length: cellNodes }, () => [term, term] as const);
}

const baseChoices: readonly number[] = baseCell.flatMap((terms, index) => [
  ...(index === 0 ? [] : terms.map(({ input }) => input)),
  ...terms.map(({ operation }) => operationNames.indexOf(operation)),
]);

/** Fills up `choices` by those of the base cell, which fits where anything is searched. */
function completed(choices: readonly number[]): readonly number[] {
  return [...choices, ...baseChoices.slice(choices.length)];
}

/**
 * The micro space (ENAS, Pham et al. 2018, section 2.5) for volumes of `volume` voxels (depth, height, width; the data set's median) and
 * a network of these dimensions: one cell, which takes the place of the two convolutions at every level. What is around it stays the
 * macro space's base child's, its patch too, of which the cell's reward would say nothing. Throws a UserError where the volumes are
 * too small.
 */
export function microSpace(
  volume: Triple,
  dimensions: NetworkDimensions,
  { patchVoxels, unpooledLevels = dimensions.flatLevels, fits, recipe = defaultRecipe.space }: SpaceLimits = noLimits,
): SearchSpace {
  const { patch, encoder, decoder } = macroSpace(volume, dimensions, { patchVoxels, unpooledLevels, recipe }).base;
  const withCell = (cell: Cell, all?: readonly number[]): ChildArchitecture => ({
    space: 'micro',
    patch,
    encoder: encoder.map(({ pool }) => ({ pool })),
    decoder: decoder.map(({ skips }) => ({ skips: all ?? skips })),
    cell,
  });
  const decode = (choices: readonly number[]): ChildArchitecture => withCell(decodeCell(choices));
  const fittingly = (choices: readonly number[]): readonly boolean[] =>
    admitted(choices, recipe).map(
      (allowed, option) => allowed && (!fits || fits(decode(completed([...choices, option])))),
    );
  const largest = decode(largestChoices(recipe));
  return {
    decisions,
    admitted: fittingly,
    decode,
    base: withCell(baseCell),
    baseChoices,
    // The weights of all skips are shared, as in the macro space, though only those of the base are on a cell's way.
    covering: coveringOperations.map((operation) => withCell(uniformCell(operation), allSkips)),
    largest: !fits || fits(largest) ? largest : withCell(baseCell),
  };
}

/** Every input is; an operation that looks around, while the cell has not enough of them. */
function admitted(choices: readonly number[], { cell_operations }: Recipe['space']): readonly boolean[] {
  const { choice, options } = decisions[choices.length];
  const lookingAround = choices.filter(
    (option, at) => decisions[at].choice === 'operation' && operationAt(option).looksAround,
  );
  const full = lookingAround.length === cell_operations;
  return Array.from(
    { length: options },
    (_, option) => choice !== 'operation' || !(full && operationAt(option).looksAround),
  );
}

function operationAt(option: number): (typeof operations)[OperationName] {
  return operations[operationNames[option]];
}

function decodeCell(choices: readonly number[]): Cell {
  return Array.from({ length: cellNodes }, (_, index): readonly [Term, Term] => {
    const places = placesOf(index + 1);
    const term = (slot: 0 | 1): Term => ({
      operation: operationNames[choices[places.operations[slot]]],
      input: index === 0 ? 0 : choices[places.inputs[slot]],
    });
    return [term(0), term(1)];
  });
}

/** What keeps most, operation by operation: as what one keeps does not depend on the others, no cell keeps more. */
function largestChoices(recipe: Recipe['space']): readonly number[] {
  const choices: number[] = [];
  for (const { choice } of decisions) {
    const dearest = admittedOptions({ admitted: (made) => admitted(made, recipe) }, choices).reduce((best, option) =>
      operationAt(option).kept > operationAt(best).kept ? option : best,
    );
    choices.push(choice === 'operation' ? dearest : 0);
  }
  return choices;
}
