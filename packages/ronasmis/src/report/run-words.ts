import type { Architecture } from '../architecture/architecture.ts';
import type { SearchEvent } from '../run/event.ts';
import { kindOf, proposerOf, type RunRecord } from '../run/run-record.ts';
import { plural } from './format.ts';

/** What is said of a run beside its figures, by what it does. */
export interface RunWords {
  readonly what: string;
  readonly how: string;
  /** On the architecture that it has left. */
  readonly found: string;
  /** On its steps. */
  readonly steps: string;
}

/** What a report says of the kind of run that it shows. */
export function wordsOf(run: RunRecord, architecture: Architecture, events: readonly SearchEvent[]): RunWords {
  const { space } = run.settings;
  const words = {
    search: {
      what: 'Architecture search',
      how: `${proposerOf(run)} in the ${space} space`,
      found:
        run.exploring?.explores === false
          ? 'The base network.'
          : 'The best of all evaluated children, with the weights it shared: nothing was retrained.',
      steps:
        restingNote(run) ||
        'As a controller makes up its mind, its entropy falls and the reward of what it proposes rises.',
    },
    cell_search: {
      what: 'Search of cells',
      how: 'by gradients',
      found: 'Of each edge the likeliest operation, with the weights that all shared: it is yet to be trained.',
      steps: `${stepNote(run)} As the edges of the cells make up their minds, their entropy falls.`,
    },
    training: {
      what: 'Training of one network',
      how: 'without a search',
      found: 'As it was given.',
      steps: stepNote(run),
    },
  }[kindOf(run.settings)];
  return {
    ...words,
    found: [words.found, raceNote(run), joinedNote(architecture), howDrawn]
      .filter((sentence) => sentence !== '')
      .join(' '),
    steps: [words.steps, coarseNote(events), augmentedNote(events)].filter((sentence) => sentence !== '').join(' '),
  };
}

const howDrawn =
  "Coloured arrows add encoder features to the decoder; sizes are a training patch's, depth × height × width.";

/** Why nothing was chosen where a search was too short for it; empty elsewhere. */
export function restingNote({ exploring, recipe }: Pick<RunRecord, 'exploring' | 'recipe'>): string {
  if (exploring === undefined || exploring.explores) return '';
  return `With fewer than ${recipe.controller.fewest_steps} controller epochs (about ${exploring.expected_steps}), choosing costs more than it finds: the base network is trained alone.`;
}

/** What a step of the training of one network is. */
function stepNote({ recipe: { search, training } }: RunRecord): string {
  if (training.steps_per_epoch === null)
    return `A step is ${plural(search.training_epochs, 'epoch')} of the training cases.`;
  return `A step is an epoch of ${plural(training.steps_per_epoch, 'training step')}, or of fewer where a time limits the run.`;
}

/** Until when scans were taken at half their resolution; empty where they never were. */
export function coarseNote(events: readonly SearchEvent[]): string {
  const last = events.findLast(({ coarse }) => coarse);
  return last ? `Until step ${last.step} scans were taken at half their resolution, and rewards are those of it.` : '';
}

/** What an architecture has beside it; empty where that is nothing. */
export function joinedNote(architecture: Architecture): string {
  if (architecture.kind !== undefined || architecture.coarse === undefined) return '';
  const { fine_share: share = 0.5 } = architecture.coarse;
  const mean =
    share === 0.5
      ? 'the mean of both'
      : `${share} of its own and ${1 - share} of that one's, as the validation cases have it best`;
  return `Beside it stands the best network of the part at half the resolution, as it was then, which sees scans at half their resolution; the logits are ${mean}.`;
}

/** How it was found whether kernels are 1x3x3; empty where a rule says where they are. */
export function raceNote({ race, network }: Pick<RunRecord, 'race' | 'network'>): string {
  if (race === undefined) return '';
  const kernels = (flatLevels: number): string => (flatLevels === 0 ? '3x3x3' : '1x3x3');
  const losses = race.map(({ flat_levels, loss }) => `${loss.toFixed(3)} by ${kernels(flat_levels)}`);
  return (
    `That kernels are ${kernels(network.flat_levels)} was found by a race: two base networks were trained for the same time, ` +
    `and this one's training loss was lower (${losses.join(', ')}).`
  );
}

/** From when on patches were augmented; empty where they never were. */
export function augmentedNote(events: readonly SearchEvent[]): string {
  const first = events.find(({ augmented }) => augmented);
  if (first === undefined) return '';
  return `Training patches were rotated, scaled and changed in their intensities ${first.step === 1 ? 'throughout' : `from step ${first.step} on`}.`;
}
