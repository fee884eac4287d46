import type { RunProgress } from '../../run/progress.ts';
import type { LevelBytes } from '../feature-bytes.ts';
import type { Level } from '../levels.ts';

// What pages are told of a run, as JSON: the live page by its server, a report by what is written into it.

/** A controller step as the curves show it, or several that were taken together. Rewards and Dice are fractions. */
export interface Row {
  readonly step: number;
  readonly seconds: number;
  readonly mean: number | null;
  readonly best: number | null;
  readonly base: number | null;
  readonly baseline: number | null;
  readonly entropy: number | null;
  readonly loss: number;
  readonly memory: number;
  /** Dice of the step's best child by class, a mean over the cases. */
  readonly classes: Readonly<Record<string, number>>;
}

/** How a run stands: it waits to begin, works, was stopped or killed, has finished, or its folder is gone. */
export type Standing = 'waiting' | 'running' | 'stopped' | 'finished' | 'gone';

/** What a run was told and what it is, of what the page always shows. */
export interface RunSummary {
  readonly created: string;
  readonly dataSet: string;
  readonly kind: 'search' | 'cell_search' | 'training';
  readonly controller: string;
  readonly space: string;
  readonly system: string | null;
  readonly device: string;
  readonly precision: string;
  readonly timeBudget: number | null;
  readonly epochBudget: number | null;
  readonly memoryBudget: number | null;
  readonly fold: number;
  readonly folds: number;
  /** By the keys of Dice: how a class is called. */
  readonly classNames: Readonly<Record<string, string>>;
}

/** Where a run stands, told whenever that changes. */
export interface RunState {
  readonly folder: string;
  readonly standing: Standing;
  readonly run: RunSummary | null;
  readonly progress: RunProgress | null;
  /** Seconds and steps of the last finished controller step. */
  readonly seconds: number;
  readonly steps: number;
  readonly trainingSteps: number;
  readonly children: number;
  readonly peakMemory: number;
  readonly augmented: boolean;
  readonly coarse: boolean;
  readonly warnings: readonly string[];
  /** What of the folder can't be read. */
  readonly problem: string | null;
  readonly result: {
    readonly testDice: number | null;
    readonly validationDice: number | null;
    readonly parameters: number;
  } | null;
  /** Grows with whatever the page may want to ask for again. */
  readonly version: number;
}

/** Probabilities of each option of each choice over the steps; a column stands for the steps from `from` to `to`. */
export interface ChoiceHistory {
  /** The policy's own probabilities, or, where there are none, which children it proposed. */
  readonly source: 'policy' | 'children';
  readonly columns: readonly { readonly from: number; readonly to: number }[];
  readonly choices: readonly { readonly title: string; readonly options: readonly ChoiceOption[] }[];
}

/** An option of a choice, with a value for each column; null where nothing was drawn. */
export interface ChoiceOption {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** A child in figures. */
export interface ChildFigures {
  readonly step: number;
  /** Its place among the children of its step. */
  readonly index: number;
  readonly reward: number;
  readonly seconds: number | null;
  readonly memory: number | null;
  /** Whether its reward is that at half the resolution. */
  readonly coarse: boolean;
}

/** The children that a scatter plot shows, of how many. */
export interface ScatterPoints {
  readonly total: number;
  readonly children: readonly ChildFigures[];
}

/** A network to be drawn. */
export interface DrawnNetwork {
  readonly isChild: boolean;
  readonly patch: readonly [number, number, number];
  readonly levels: readonly Level[];
  readonly cell: DrawnCell | null;
}

/** An architecture to be drawn. */
export interface Drawing extends DrawnNetwork {
  readonly title: string;
  readonly child: ChildFigures | null;
  /** Of a training patch, by level; null where levels are not told apart. */
  readonly bytes: readonly LevelBytes[] | null;
  /** What it is joined with: a network that sees scans downsampled so. */
  readonly beside: (DrawnNetwork & { readonly downsampling: readonly [number, number, number] }) | null;
}

/** The cell of every level. */
export interface DrawnCell {
  /** What each node adds, in words, with what it is done to: 0 is the cell's input, n the n-th node. */
  readonly nodes: readonly (readonly { readonly operation: string; readonly input: number }[])[];
  /** Nodes, counted from 1, that the output adds up. */
  readonly looseEnds: readonly number[];
}

/** A case and its Dice by class. */
export interface CaseDice {
  readonly name: string;
  readonly mean: number | null;
  readonly classes: Readonly<Record<string, number | null>>;
}

/** Dice by case, the worst first. */
export interface CaseTable {
  readonly title: string;
  readonly cases: readonly CaseDice[];
}

/** What a run was told, in sections of names and values. */
export type RecordSections = readonly {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}[];

/** A slice with what is outlined on it, as an SVG has them: both of [height, width], rows from the last to the first. */
export interface SlicePicture {
  /** Its intensities, as a PNG in a data URI. */
  readonly image: string;
  readonly height: number;
  readonly width: number;
  /** Height of a pixel over its width, in millimetres each. */
  readonly pixelAspect: number;
  /** Which slice it is, from 1, of how many. */
  readonly number: number;
  readonly count: number;
  readonly contours: readonly Contour[];
}

/** The outline of a class, from 0 without the background, as the path of an SVG. */
export interface Contour {
  readonly kind: 'reference' | 'prediction';
  readonly index: number;
  readonly path: string;
}

/** A figure of a result with its name and a few words on it. */
export interface ResultTile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

/** All that a report shows. Dice are fractions. */
export interface ReportTold {
  readonly title: string;
  readonly lead: string;
  readonly state: RunState;
  /** Null where no test case was segmented. */
  readonly tested: {
    readonly dice: number | null;
    readonly cases: number;
    readonly classes: readonly { readonly key: string; readonly name: string; readonly dice: number }[];
  } | null;
  readonly tiles: readonly ResultTile[];
  /** What a search has gained, and each difference with its worth in points; null where nothing was chosen. */
  readonly gain: { readonly text: string; readonly worths: readonly (readonly [string, string])[] } | null;
  /** On the architecture, and on the steps. */
  readonly notes: { readonly found: string; readonly steps: string };
  readonly rows: readonly Row[];
  readonly thinned: boolean;
  readonly choices: ChoiceHistory;
  readonly found: Drawing;
  readonly children: ScatterPoints;
  /** Of the best of these children. */
  readonly drawings: readonly Drawing[];
  readonly cases: readonly CaseTable[];
  /** The best, the median and the worst test case. */
  readonly examples: readonly {
    readonly rank: string;
    readonly name: string;
    readonly dice: number;
    readonly slices: readonly SlicePicture[];
  }[];
  /** Names of the classes on the slices, the background excepted. */
  readonly outlined: readonly string[];
  readonly methods: readonly MethodsPart[];
  readonly record: RecordSections;
}

/** A part of the methods of a paper: what it is about, and its sentences. */
export interface MethodsPart {
  readonly about: string;
  readonly text: string;
}
