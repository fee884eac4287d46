import type { ChildFigures, Row, Standing } from 'ronasmis/report';

// What the server tells the page, as JSON, beside what `ronasmis` makes of a run's files. Types alone: nothing of it is in either program.

export type {
  CaseDice,
  CaseTable,
  ChildFigures,
  ChoiceHistory,
  Drawing,
  DrawnCell,
  DrawnNetwork,
  MethodsPart,
  RecordSections,
  ReportTold,
  ResultTile,
  Row,
  RunState,
  RunSummary,
  ScatterPoints,
  SlicePicture,
  Standing,
} from 'ronasmis/report';

/** Rows of the curves: all that there are, in place of what was told before, or those that have come since. */
export interface RowsMessage {
  readonly kind: 'all' | 'more';
  readonly rows: readonly Row[];
  /** Whether rows stand for several steps. */
  readonly thinned: boolean;
}

export type ChildSort = 'step' | 'reward' | 'seconds' | 'memory';

/** A page of the children's table. */
export interface ChildrenPage {
  readonly total: number;
  readonly children: readonly ChildFigures[];
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
