import { basename } from 'node:path';
import type { Architecture } from '../architecture/architecture.ts';
import { formatFigure } from '../base/figures.ts';
import { sum } from '../base/statistics.ts';
import { type Fingerprint, fingerprintSchema } from '../data/fingerprint.ts';
import type { Normalisation } from '../data/normalisation.ts';
import { paperRecipe } from '../recipe/paper.ts';
import { defaultRecipe, differences, type Recipe } from '../recipe/recipe.ts';
import type { SearchEvent } from '../run/event.ts';
import type { SearchReport } from '../run/report.ts';
import { classNamesOf, kindOf, proposerOf, type RunRecord } from '../run/run-record.ts';
import { formatBytes, formatCount, formatDice, formatSeconds, plural } from './format.ts';
import { augmentedNote, coarseNote, joinedNote, raceNote, restingNote } from './run-words.ts';
import type { MethodsPart } from './told/messages.ts';

/** What the methods of a paper are made of. */
export interface MethodsContent {
  readonly run: RunRecord;
  readonly report: SearchReport;
  readonly architecture: Architecture;
  readonly events: readonly SearchEvent[];
}

/** How a run came to its result, as a paper says it: the data, the split, what was done, the budget, and with what. */
export function methodsOf(content: MethodsContent): readonly MethodsPart[] {
  const part = (about: string, sentences: readonly string[]): MethodsPart => ({
    about,
    text: sentences.filter((sentence) => sentence !== '').join(' '),
  });
  return [
    part('Data', dataSentences(content.run)),
    part('Split', splitSentences(content)),
    part(kindOf(content.run.settings) === 'training' ? 'Training' : 'Search', workSentences(content)),
    part('Budget', [budgetSentence(content)]),
    part('Result', resultSentences(content)),
    part('Software and hardware', engineSentences(content.run)),
  ].filter(({ text }) => text !== '');
}

/** As a sentence lists things. */
function listed(things: readonly string[]): string {
  const last = things.slice(-1).join('');
  return things.length < 2 ? last : `${things.slice(0, -1).join(', ')} and ${last}`;
}

const byAxis = (values: readonly number[]): string => values.map(formatFigure).join(' × ');

function dataSentences(run: RunRecord): readonly string[] {
  const { labels, regions, orientation, spacing, normalisation = [], settings } = run;
  // Records of older versions may have another one: what they say of it is left out.
  const known = fingerprintSchema.safeParse(run.fingerprint).data;
  const structures = labels.slice(1).map(({ name }) => name);
  const scored = regions.length > 0 ? `, which are scored together as ${listed(regions.map(({ name }) => name))}` : '';
  const done = [
    orientation === undefined ? '' : `turned to ${orientation}`,
    spacing === undefined ? '' : `resampled to ${byAxis(spacing)} mm`,
    ...normalisedBy(normalisation),
  ].filter((what) => what !== '');
  return [
    `The data set ${known?.name ?? basename(settings.data_set)} has ${sizeOf(known, run)}. ` +
      `Labelled ${structures.length === 1 ? 'is' : 'are'} ${listed(structures)}${scored}.`,
    known === undefined
      ? ''
      : `The median scan has ${byAxis(known.shape.median)} voxels of ${byAxis(known.spacing.median)} mm (depth × height × width).`,
    done.length === 0 ? '' : `Scans were ${listed(done)}.`,
  ];
}

function sizeOf(known: Fingerprint | undefined, { network }: RunRecord): string {
  const channels = plural(network.input_channels, 'channel');
  if (known === undefined) return channels;
  return `${plural(known.cases, 'case')} of ${channels} (${listed(known.channels)})`;
}

/** What was done to the intensities, each kind once. */
function normalisedBy(normalisations: readonly Normalisation[]): readonly string[] {
  const words = {
    z_score: 'z-scored',
    masked_z_score: 'z-scored within what is not 0',
    data_set: "clipped and scaled by the intensities of the data set's labelled voxels",
  };
  return [...new Set(normalisations.map(({ kind }) => words[kind]))];
}

function splitSentences({ run, report }: MethodsContent): readonly string[] {
  const { folds, fold } = run.settings;
  const total = fingerprintSchema.safeParse(run.fingerprint).data?.cases;
  const [test, validation] = [report.test_dice, report.validation_dice].map(({ cases }) => Object.keys(cases).length);
  const trained = total !== undefined && test > 0 ? total - test - validation : undefined;
  const ofTest = test > 0 ? ` (${plural(test, 'case')})` : '';
  const others =
    validation === 0
      ? `All ${trained === undefined ? '' : `${trained} `}other cases trained the network.`
      : `Of the other cases, ${validation} chose between networks, and ${trained === undefined ? 'the rest' : `the other ${trained}`} trained them.`;
  return [
    `The cases were split into ${folds} folds by nnU-Net's rule (KFold of scikit-learn, shuffled with the seed 12345).`,
    `Fold ${fold}${ofTest} was held out: it was segmented once, at the end.`,
    others,
  ];
}

function workSentences(content: MethodsContent): readonly string[] {
  const { run, events } = content;
  const { settings, recipe, version } = run;
  const by = settings.system === undefined ? '' : `, as the system ${settings.system}`;
  const children = sum(events.map((event) => event.children.length));
  const steps = events.at(-1)?.step ?? 0;
  const trained = (what: string): string =>
    `${what} was trained with RONASMIS ${version}${by}, without a search, in ${plural(steps, 'step')}.`;
  const what = {
    search:
      settings.space === 'fixed' || run.exploring?.explores === false
        ? trained('The base network')
        : `Architectures were searched with RONASMIS ${version} (Bae et al., MICCAI 2019)${by}: the controller ${proposerOf(run)} ` +
          `proposed children of the ${settings.space} space, all of which share one set of weights. ` +
          `In ${plural(steps, 'controller step')}, ${children} ${children === 1 ? 'child was' : 'children were'} evaluated; ` +
          'the reward is the mean Dice over the validation patients. The best child is the result, with the shared weights as they are.',
    cell_search: `The cells of a network were searched by gradients with RONASMIS ${version}${by}, in ${plural(steps, 'step')}.`,
    training: trained('One network'),
  }[kindOf(settings)];
  // What another program trains by is not in our recipe.
  if (settings.own_program) return [what];
  return [
    what,
    startSentence(run),
    restingNote(run),
    raceNote(run),
    trainingSentence(content),
    coarseNote(events),
    augmentation(content),
    recipeSentence(recipe),
  ];
}

/** Which weights a run has begun with, where they were those of another. */
function startSentence({ taken_over }: RunRecord): string {
  if (taken_over === undefined) return '';
  const { taken, adapted, drawn_anew } = taken_over;
  return `It began with the weights of an earlier run: ${taken} were taken over, ${adapted} adapted and ${drawn_anew} drawn anew.`;
}

function trainingSentence({ run: { recipe }, events }: MethodsContent): string {
  const { loss, optimiser, learning_rate, schedule_power, weight_decay, weight_decay_in } = recipe.training;
  const by = optimiser === 'sgd' ? 'SGD with Nesterov momentum' : weight_decay_in === 'weights' ? 'AdamW' : 'Adam';
  const losses = loss === 'dice' ? 'soft Dice' : 'soft Dice and cross-entropy';
  const falling =
    schedule_power === 0 ? 'constant' : `falling to 0 by a polynomial with the exponent ${schedule_power}`;
  return (
    `Weights were trained for ${plural(events.at(-1)?.steps ?? 0, 'step')} of ${by} (learning rate ${learning_rate}, ${falling}; ` +
    `weight decay ${weight_decay}), with the loss of ${losses}.`
  );
}

function augmentation({ run: { recipe }, events }: MethodsContent): string {
  const { flip, flip_axes } = recipe.augmentation;
  const mirrored =
    flip === 0 || flip_axes.length === 0 ? '' : `Training patches were mirrored along the ${listed(flip_axes)}.`;
  return [mirrored, augmentedNote(events)].filter((sentence) => sentence !== '').join(' ');
}

function recipeSentence(recipe: Recipe): string {
  const own = differences(recipe, defaultRecipe);
  if (own.length === 0) return 'All constants are those of the default recipe.';
  if (differences(recipe, paperRecipe).length === 0) return 'All constants are those of the published recipe.';
  const each = own.map(({ section, name, value }) => `${section}.${name} ${valueText(value)}`);
  return `The recipe differs from the default one in ${plural(own.length, 'constant')}: ${each.join(', ')}.`;
}

function valueText(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'number' ? formatFigure(value) : JSON.stringify(value);
}

function budgetSentence({ run: { settings }, report }: MethodsContent): string {
  const { time_seconds, epochs, memory_bytes } = settings;
  const limits = [
    ...(time_seconds === null ? [] : [formatSeconds(time_seconds)]),
    ...(epochs === null ? [] : [plural(epochs, kindOf(settings) === 'search' ? 'controller step' : 'step')]),
    ...(memory_bytes === undefined ? [] : [`${formatBytes(memory_bytes)} of memory`]),
  ];
  const used = `it took ${formatSeconds(report.seconds)} and ${formatBytes(report.peak_memory_bytes)} at most`;
  return limits.length === 0 ? `The run had no limit; ${used}.` : `The run was given ${listed(limits)}; ${used}.`;
}

function resultSentences({ run, report, architecture }: MethodsContent): readonly string[] {
  const { test_dice, validation_dice, parameters, cleaned_classes } = report;
  const names = classNamesOf(run);
  const classes = Object.entries(test_dice.classes).map(([key, dice]) => `${names[key] ?? key} ${formatDice(dice)} %`);
  const count = Object.keys(test_dice.cases).length;
  return [
    `The network has ${formatCount(parameters)} parameters.`,
    joinedNote(architecture),
    cleaned_classes.length === 0
      ? ''
      : `Of ${listed(cleaned_classes.map((index) => run.labels[index].name))}, components with less than half the voxels of the largest are removed: they are one piece in every training label.`,
    count === 0
      ? ''
      : `On the ${plural(count, 'test case')}, each on its own grid, it reaches a mean Dice over patients of ${formatDice(test_dice.mean)} %` +
        `${classes.length > 1 ? ` (${classes.join(', ')})` : ''}.`,
    validation_dice.mean === null ? '' : `On the validation cases it is ${formatDice(validation_dice.mean)} %.`,
  ];
}

function engineSentences({ settings: { seed, own_program }, engine }: RunRecord): readonly string[] {
  const { libtorch, device, precision, threads, cpu } = engine;
  const where =
    device === 'cpu' ? `on ${plural(threads, 'thread')} of a CPU (${cpu})` : `on ${device}, beside a CPU (${cpu})`;
  const how = own_program ? 'PyTorch' : 'libtorch';
  return [`Seed ${seed}; ${how} ${libtorch}, in ${precision}, ${where}.`];
}
