import type { Cell, Level, LevelBytes } from 'ronasmis/report';
import type { RunProgress } from 'ronasmis/run';

// What the server tells the page, as JSON. Types alone: nothing of it is in either program.

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

/** Rows of the curves: all that there are, in place of what was told before, or those that have come since. */
export interface RowsMessage {
  readonly kind: 'all' | 'more';
  readonly rows: readonly Row[];
  /** Whether rows stand for several steps. */
  readonly thinned: boolean;
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

export type ChildSort = 'step' | 'reward' | 'seconds' | 'memory';

/** A page of the children's table. */
export interface ChildrenPage {
  readonly total: number;
  readonly children: readonly ChildFigures[];
}

/** The children that a scatter plot shows, of how many. */
export interface ScatterPoints {
  readonly total: number;
  readonly children: readonly ChildFigures[];
}

/** An architecture to be drawn. */
export interface Drawing {
  readonly title: string;
  readonly child: ChildFigures | null;
  readonly isChild: boolean;
  readonly patch: readonly [number, number, number];
  readonly levels: readonly Level[];
  /** Of a training patch, by level; null where levels are not told apart. */
  readonly bytes: readonly LevelBytes[] | null;
  readonly cell: Cell | null;
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

/** A file that the viewer can load, by its address on this server. */
export interface CaseFiles {
  readonly name: string;
  /** A channel each: its address, and its frame in that file. */
  readonly channels: readonly { readonly url: string; readonly frame: number }[];
  readonly label: string;
  /** Null where nobody has segmented it. */
  readonly prediction: string | null;
}

/** What of a run can be looked at in the viewer, or why nothing. */
export interface ViewableCase {
  readonly files: CaseFiles | null;
  readonly labels: readonly { readonly value: number; readonly name: string }[];
  /** Whether the run's network can segment it now. */
  readonly canPredict: boolean;
  readonly why: string | null;
}

/** A run in the list of runs. */
export interface ListedRun {
  readonly id: string;
  readonly name: string;
  readonly standing: Standing;
  readonly dataSet: string | null;
  readonly controller: string | null;
  readonly space: string | null;
  readonly steps: number;
  readonly seconds: number;
  readonly best: number | null;
  readonly testDice: number | null;
  readonly curve: readonly (readonly [seconds: number, best: number])[];
  readonly problem: string | null;
}

/** A folder that was named at the start. */
export interface ListedFolder {
  readonly id: string;
  readonly name: string;
  readonly kind: 'run' | 'study' | 'compare' | 'headroom';
  readonly runs: readonly ListedRun[];
  readonly results: ResultTable | null;
  readonly problem: string | null;
}

/** What a study or a comparison has found. */
export interface ResultTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a run was told, in sections of names and values. */
export type RecordSections = readonly {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}[];
