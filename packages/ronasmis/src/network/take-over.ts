import {
  copyInPlace,
  linear,
  noGradient,
  pad,
  permute,
  scope,
  select,
  sum,
  type Tensor,
  tensor,
} from '@ronasmis/libtorch';
import type { NetworkDefinition } from './definition.ts';
import { imageKernels, isOfHead, sharedParameters } from './parameters.ts';
import { type Weights, weight } from './weights.ts';

/** What a network's input and output stand for. */
export interface Meaning {
  /** What each channel of the scan shows. */
  readonly channels: readonly string[];
  /** What each class is, the background first. */
  readonly classes: readonly string[];
}

/** A trained network's weights, as it computes with them: nothing in them is mixed any more. */
export interface Trained extends Meaning {
  readonly weights: Weights;
}

/** Names of weights, by what became of them. */
export interface TakenOver {
  /** Copied as they were. */
  readonly taken: readonly string[];
  /** Of other channels, classes or flat levels, and made to fit. */
  readonly adapted: readonly string[];
  /** Of the fresh weights, those that the trained network has none of, or of another width. */
  readonly drawnAnew: readonly string[];
  /** Of the trained network's, those that came to nothing. */
  readonly left: readonly string[];
}

/**
 * Begins fresh weights with those of a trained network, by name and shape. What does not fit stays as it was drawn; so do the matrices of
 * taps, the identity, by which a shared kernel serves a dilation as the trained network's own served its.
 *
 * - Channels are told by their names ({@link channelMatrix}), classes too: the rows of a label that is new stay as they were drawn.
 * - A 1x3x3 kernel has the sum of a 3x3x3 one's planes, the same to whatever does not change along the depth; a 3x3x3 one has a 1x3x3 one in
 *   its middle plane, the same to everything ("central" inflation, Girdhar et al. 2018, Detect-and-Track).
 * - Of another width: a kernel is not taken over in part.
 *
 * @param fresh of all `networks` between them, on any device
 */
export function takeOver(
  fresh: Weights,
  networks: readonly NetworkDefinition[],
  here: Meaning,
  trained: Trained,
): TakenOver {
  const fit: Fit = {
    matrix: channelMatrix(here.channels, trained.channels),
    rows: matchedClasses(here.classes, trained.classes),
    readsImage: new Set(networks.flatMap(imageKernels)),
    classes: trained.classes.length,
  };
  const outcome = { taken: [] as string[], adapted: [] as string[], drawnAnew: [] as string[] };
  noGradient(() => {
    for (const { name } of sharedParameters(networks, { mixesTaps: false })) {
      const source = trained.weights.get(name);
      outcome[source ? scope(() => fill(name, weight(fresh, name), source, fit)) : 'drawnAnew'].push(name);
    }
  });
  const used = new Set([...outcome.taken, ...outcome.adapted]);
  return { ...outcome, left: [...trained.weights.keys()].filter((name) => !used.has(name)) };
}

/** How the weights of a trained network are made to fit. */
interface Fit {
  /** Of channels, as {@link channelMatrix} gives it. */
  readonly matrix: Matrix;
  /** For each class here, which class it is there. */
  readonly rows: readonly (number | undefined)[];
  readonly readsImage: ReadonlySet<string>;
  /** Of the trained network. */
  readonly classes: number;
}

type Matrix = readonly (readonly number[])[];

function fill(name: string, target: Tensor, source: Tensor, fit: Fit): 'taken' | 'adapted' | 'drawnAnew' {
  if (isOfHead(name)) return fillHead(target, source, fit);
  const ofChannels = fit.readsImage.has(name) ? mixChannels(source, fit.matrix) : source;
  const fitting = ofDepth(ofChannels, target.shape[2]);
  if (String(fitting.shape) !== String(target.shape)) return 'drawnAnew';
  copyInPlace(target, fitting);
  return fitting === source ? 'taken' : 'adapted';
}

function fillHead(target: Tensor, source: Tensor, { rows, classes }: Fit): 'taken' | 'adapted' | 'drawnAnew' {
  const shapes = [source.shape, [classes, ...target.shape.slice(1)]].map(String);
  if (shapes[0] !== shapes[1] || target.shape[0] !== rows.length) return 'drawnAnew';
  rows.forEach((row, at) => {
    if (row !== undefined) copyInPlace(select(target, 0, at), select(source, 0, row));
  });
  return rows.length === classes && rows.every((row, at) => row === at) ? 'taken' : 'adapted';
}

/** A kernel `[out, in, ...]` whose channels are weighted sums of those of `kernel`, by a row each; itself where nothing changes. */
function mixChannels(kernel: Tensor, matrix: Matrix): Tensor {
  const [{ length }] = matrix;
  const isSame = matrix.length === length && matrix.every((row, at) => row[at] === 1);
  if (isSame || kernel.shape[1] !== length) return kernel;
  const weights = tensor(Float32Array.from(matrix.flat()), [matrix.length, length]);
  return permute(linear(permute(kernel, [0, 2, 3, 4, 1]), weights), [0, 4, 1, 2, 3]);
}

/** A kernel of this depth, from or to one of a single plane; itself where it has that depth, or can't have it. */
function ofDepth(kernel: Tensor, depth: number | undefined): Tensor {
  const own = kernel.shape[2];
  if (own === undefined || depth === undefined || own === depth) return kernel;
  if (depth === 1) return sum(kernel, 2, { keepAxis: true });
  if (own > 1) return kernel;
  const planes = (depth - 1) / 2;
  return pad(kernel, [0, 0, 0, 0, planes, planes]);
}

/**
 * What the channels of a scan are made of, in terms of the channels that a network was trained on: a row for each channel here.
 *
 * - Where names agree, in whatever case, a channel is the one of its name. Of a new one the network sees nothing at first, so that it begins as
 *   the function that it was (Chen et al. 2016, Net2Net).
 * - Where no name agrees, or one is there twice, equally many channels are taken in their order.
 * - Otherwise each is the mean of all, times the number of channels there over that here: where all channels show the same, the response is what it
 *   was (Wang et al. 2016, Temporal Segment Networks, cross-modality initialisation; scaled as by Carreira & Zisserman 2017).
 */
export function channelMatrix(here: readonly string[], there: readonly string[]): Matrix {
  const [names, known] = [here, there].map((list) => list.map(sameCase));
  const areUnique = [names, known].every((list) => new Set(list).size === list.length);
  const oneOf = (at: number): readonly number[] => there.map((_, other) => (other === at ? 1 : 0));
  if (areUnique && names.some((name) => known.includes(name))) return names.map((name) => oneOf(known.indexOf(name)));
  if (here.length === there.length) return here.map((_, at) => oneOf(at));
  return here.map(() => there.map(() => 1 / here.length));
}

/** For each class here, which class it is there; the background is the background. */
function matchedClasses(here: readonly string[], there: readonly string[]): readonly (number | undefined)[] {
  const known = new Map(there.map((name, at) => [sameCase(name), at] as const).slice(1));
  return here.map((name, at) => (at === 0 ? 0 : known.get(sameCase(name))));
}

const sameCase = (name: string): string => name.trim().toLowerCase();
