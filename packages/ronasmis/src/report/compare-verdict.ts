import type { CompareRecord, CompareResults, SystemResult } from '../run/compare-record.ts';
import { formatDice, formatSeconds, plural } from './format.ts';
import { formatInterval, formatProbability, points } from './study-verdict.ts';

/** What the figures say, in plain sentences, and nothing beyond them. */
export function compareVerdict({ systems, reference, comparisons }: CompareResults): readonly string[] {
  const titleOf = (name: string): string => systems.find((system) => system.name === name)?.title ?? name;
  const ranked = systems
    .flatMap(({ title, figures }) => (figures === null ? [] : [{ title, dice: figures.dice }]))
    .sort((a, b) => b.dice - a.dice);
  const order = ranked.map(({ title, dice }) => `${title} ${formatDice(dice)} %`).join(', ');
  return [
    ...(ranked.length > 0 ? [`Mean test Dice${ranked.length > 1 ? ', the highest first' : ''}: ${order}.`] : []),
    ...comparisons.map((comparison) => {
      const { difference, interval, p_holm } = comparison;
      const figures = [
        ...(interval === null ? [] : [`95 % interval over runs: ${formatInterval(comparison)}`]),
        `p ${formatProbability(p_holm)} over cases, corrected`,
      ].join('; ');
      const said = `${titleOf(reference ?? '')} against ${titleOf(comparison.other)}: ${points(difference)} points of test Dice (${figures}).`;
      return `${said} ${p_holm < 0.05 ? 'On these cases, these networks differ.' : 'These networks can’t be told apart on these cases.'}`;
    }),
  ];
}

/** So few test cases leave little to be told. */
const fewCases = 30;

/** What the figures cannot say, of this very comparison. */
export function compareCaveats(
  { settings }: Pick<CompareRecord, 'settings'>,
  results: CompareResults,
): readonly string[] {
  const { systems, folds, seeds, test_cases, comparisons } = results;
  const runs = folds.length * seeds;
  const partly = systems.filter((system) => system.runs.length > 0 && system.runs.length < runs);
  const missed = systems.filter(({ without_distance }) => without_distance > 0);
  return [
    ...(test_cases < fewCases
      ? [
          `${plural(test_cases, 'test case')}: so few say little, and a difference of a point may well be that of other cases.`,
        ]
      : []),
    runs === 1
      ? 'One run of each system says nothing of the spread between seeds and folds.'
      : 'The runs are no independent repeats: seeds of one fold share its training and test cases, and folds share most of their training cases. So the intervals over runs are rather too narrow.',
    ...(comparisons.length > 0 ? [testCaveat(test_cases)] : []),
    ...(settings.time_seconds === null
      ? []
      : [
          `Each training was given ${formatSeconds(settings.time_seconds)}. A system that is made for days of training is shown as far as it comes in that time, and a longer one may change the order.`,
        ]),
    ...partly.map(({ title, runs: finished }) => `The figures of ${title} are of ${finished.length} of ${runs} runs.`),
    ...(missed.length > 0 ? [distanceCaveat(missed)] : []),
  ];
}

function testCaveat(cases: number): string {
  // All differences of one sign: two of the 2^n assignments of signs are as one-sided.
  const smallest = 2 / 2 ** cases;
  const reach =
    smallest > 0.05 ? ` With ${plural(cases, 'test case')} it can’t be below ${formatProbability(smallest)}.` : '';
  return `p is of Wilcoxon’s signed rank test over the test cases, each averaged over the runs, and corrected for the number of comparisons (Holm). It is of these very networks: cases do not replace seeds.${reach}`;
}

function distanceCaveat(missed: readonly SystemResult[]): string {
  const counts = missed.map(({ title, without_distance }) => `${title} ${without_distance}`).join(', ');
  return `HD95 leaves out structures that are in the label map or in the prediction alone, which count as 0 in Dice and NSD: ${counts}.`;
}

/** What each system was given: the same, but for what is said here. */
export function givenSentences(
  { settings, engine, hardware, runs }: CompareRecord,
  { folds, seeds }: CompareResults,
): readonly string[] {
  const budget = [
    ...(settings.time_seconds === null
      ? []
      : [`${formatSeconds(settings.time_seconds)} from reading the first scan to its report`]),
    ...(settings.epochs === null ? [] : [`${plural(settings.epochs, 'epoch')} of its own kind`]),
  ].join(', or ');
  const memory = settings.memory_bytes === undefined ? 'memory as it was free' : 'the same memory budget';
  const taken = [
    ...new Set(Object.values(runs).flatMap((run) => (run.state === 'finished' && run.from ? [run.from] : []))),
  ];
  return [
    `Every system was given the same scans, ${folds.length === 1 ? `fold ${folds[0]}` : plural(folds.length, 'fold')} of ${settings.folds}, ${plural(seeds, 'seed')}, ${budget || 'its own number of epochs'}, ${memory}, and ${hardware} (${engine.device} in ${engine.precision}). How it uses them is its own recipe.`,
    'No system sees a test case while it is trained. Afterwards each segments them from their files, and its label maps, on the scans’ own grids, are scored by the same code.',
    ...(taken.length > 0 ? [`Systems that take something over from another task were given ${taken.join(', ')}.`] : []),
  ];
}
