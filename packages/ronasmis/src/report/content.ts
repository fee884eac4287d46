import { basename } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { sum } from '../base/statistics.ts';
import type { SearchEvent } from '../run/event.ts';
import type { SearchReport } from '../run/report.ts';
import { classNamesOf, kindOf, type RunRecord } from '../run/run-record.ts';
import { formatBytes, formatCount, formatDice, formatSeconds, plural } from './format.ts';
import { gainText, howTold, worths } from './gain.ts';
import { methodsOf } from './methods.ts';
import { wordsOf } from './run-words.ts';
import { type Example, pictureOf, type Slice } from './slices.ts';
import { caseTables } from './told/case-tables.ts';
import { scatterPoints } from './told/children.ts';
import { drawChildOf, drawFound } from './told/drawing.ts';
import { type Known, taken, unknown } from './told/known.ts';
import type { ChildFigures, Drawing, ReportTold, ResultTile } from './told/messages.ts';
import { recordSections } from './told/record-sections.ts';
import { mostRows, thin } from './told/rows.ts';
import { stateOf } from './told/run-state.ts';

/** What a report is made of. */
export interface ReportContent {
  readonly folder: string;
  readonly run: RunRecord;
  readonly architecture: Architecture;
  readonly report: SearchReport;
  readonly events: readonly SearchEvent[];
  /** The best, median and worst test case with some of their slices. */
  readonly examples: readonly (Example & { readonly slices: readonly Slice[] })[];
}

/** Children that can be drawn, at most: an architecture takes some 3 kB of the page. */
const mostDrawings = 400;

/** What a report tells of a finished run: by the same functions as the live page's server, and what only an end has. */
export function tellReport(content: ReportContent): ReportTold {
  const { folder, run, architecture, report, events } = content;
  const known = knownOf(content);
  const { system, fold, folds, data_set } = run.settings;
  const words = wordsOf(run, architecture, events);
  const children = scatterPoints(known.children);
  return {
    title: basename(data_set),
    lead: `${words.what} of ${formatDate(run.created)}${system === undefined ? '' : ` by ${system}`} · ${words.how} · fold ${fold} of ${folds} held out as the test set`,
    state: stateOf(folder, known, { standing: 'finished', problem: null, version: 1 }),
    tested: testedOf(content),
    tiles: tilesOf(content),
    gain: report.gain ? { text: `${gainText(report.gain)} ${howTold}`, worths: worths(report.gain) } : null,
    notes: words,
    rows: thin(known.rows, mostRows),
    thinned: known.rows.length > mostRows,
    choices: known.choices.read(),
    found: drawFound(architecture, run),
    children,
    drawings: drawingsOf(children.children, content),
    cases: caseTables(known),
    examples: examplesOf(content),
    outlined: run.labels.slice(1).map(({ name }) => name),
    methods: methodsOf(content),
    record: recordSections(run),
  };
}

function knownOf({ run, architecture, report, events }: ReportContent): Known {
  const begun: Known = { ...unknown(0), run };
  const updates = events.map((event) => ({ kind: 'event', event }) as const);
  return [...updates, { kind: 'finished', report, architecture } as const].reduce(taken, begun);
}

/** The best of these children, as many as a page should hold. */
function drawingsOf(
  children: readonly ChildFigures[],
  { run, events }: Pick<ReportContent, 'run' | 'events'>,
): readonly Drawing[] {
  const best = children.toSorted((one, other) => other.reward - one.reward).slice(0, mostDrawings);
  const steps = new Map(events.map((event) => [event.step, event]));
  return best.flatMap(({ step, index }) => {
    const event = steps.get(step);
    return (event && drawChildOf(event, index, run)) ?? [];
  });
}

function formatDate(iso: string): string {
  return iso.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ' UTC');
}

function testedOf({ run, report: { test_dice } }: ReportContent): ReportTold['tested'] {
  const cases = Object.keys(test_dice.cases).length;
  if (cases === 0) return null;
  const names = classNamesOf(run);
  const classes = Object.entries(test_dice.classes).map(([key, dice]) => ({
    key,
    name: names[key] ?? `label ${key}`,
    dice,
  }));
  return { dice: test_dice.mean, cases, classes };
}

function tilesOf({ run, report, events }: ReportContent): readonly ResultTile[] {
  const { engine, network, settings } = run;
  const isValidated = Object.keys(report.validation_dice.cases).length > 0;
  const validation = {
    name: 'Validation Dice',
    value: `${formatDice(report.validation_dice.mean)} %`,
    note: 'what the search chose by',
  };
  const children = sum(events.map((event) => event.children.length));
  const trained = `${formatCount(events.at(-1)?.steps ?? 0)} training steps`;
  const work =
    children > 0
      ? { name: 'Children evaluated', value: String(children), note: trained }
      : { name: 'Training', value: trained, note: 'all cases but those of the test set' };
  const steps = plural(events.length, kindOf(settings) === 'search' ? 'controller step' : 'step');
  const channels = `${network.channels.join(', ')} channels`;
  const whose = engine.device === 'cuda' ? 'of the GPU' : 'of the process';
  return [
    ...(isValidated ? [validation] : []),
    { name: 'Time', value: formatSeconds(report.seconds), note: steps },
    work,
    { name: 'Parameters', value: formatCount(report.parameters), note: channels },
    { name: 'Peak memory', value: formatBytes(report.peak_memory_bytes), note: whose },
    { name: 'Device', value: `${engine.device}, ${engine.precision}`, note: engine.cpu },
  ];
}

function examplesOf({ examples, run }: ReportContent): ReportTold['examples'] {
  const classes = run.labels.length - 1;
  return examples.map(({ rank, name, dice, slices }) => ({
    rank,
    name,
    dice,
    slices: slices.map((slice) => pictureOf(slice, classes)),
  }));
}
