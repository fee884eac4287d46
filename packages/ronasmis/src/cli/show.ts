import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { RunFiles } from '../run/read-run.ts';
import type { Gain } from '../run/report.ts';
import { jsonOption } from './options.ts';
import { coloursOf, print, printJson, sparkline, table } from './output.ts';

/** Adds `show RUN`. */
export function addShow(program: Command): void {
  program
    .command('show')
    .description('show what a search has found: architecture, curves, results, cost')
    .argument('<run>', 'run folder of the search')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis show runs/prostate')
    .action(async (folder: string, { json }: { readonly json?: true }) => {
      if (!json) return printRun(folder);
      const { readRun } = await import('../run/read-run.ts');
      const { run, architecture = null, report = null, events } = await readRun(folder);
      printJson({ run, architecture, report, events });
    });
}

/** Prints a run folder for a reader. */
export async function printRun(folder: string): Promise<void> {
  const { readRun } = await import('../run/read-run.ts');
  const { architectureText, diceText } = await import('./results.ts');
  const files = await readRun(folder);
  const { run, architecture, report } = files;
  const colours = coloursOf(process.stdout);
  if (architecture !== undefined) {
    const { depth, height, width } = architecture.patch;
    print(`${colours.bold('Architecture')}  (training patch ${depth} x ${height} x ${width})`);
    print(`${architectureText(architecture, run.network)}\n`);
  }
  await printCurves(files);
  printStart(files);
  await printRace(files);
  await printRecipe(files);
  if (report === undefined) {
    const { howToGoOn } = await import('../run/run-record.ts');
    print(`The search has not ended. Go on by ${howToGoOn(run, folder)}.`);
    return;
  }
  const { formatBytes, formatCount, formatSeconds, plural } = await import('../report/format.ts');
  const cases = Object.keys(report.test_dice.cases).length;
  // That of a system is tested by the comparison.
  if (cases > 0)
    print(
      `${colours.bold('Test Dice')}        ${colours.green(diceText(report.test_dice, run))}, ${plural(cases, 'case')}`,
    );
  // A system that trains on all but the test fold has none.
  if (Object.keys(report.validation_dice.cases).length > 0)
    print(`Validation Dice  ${diceText(report.validation_dice, run)}`);
  if (report.gain) await printGain(report.gain);
  if (report.cleaned_classes.length > 0)
    print(
      `Cleaned          small components of ${report.cleaned_classes.map((index) => run.labels[index].name).join(', ')}`,
    );
  print(
    `Cost             ${formatSeconds(report.seconds)}, ${formatBytes(report.peak_memory_bytes)} at most, ` +
      `${formatCount(report.parameters)} parameters, ${run.engine.device} in ${run.engine.precision}`,
  );
  const page = join(folder, 'report.html');
  // A run of a machine without the page of reports has none.
  if (existsSync(page)) print(`Report           ${page}`);
}

/** What the search has gained over the base network, and what each kind of choice is worth. */
async function printGain(gain: Gain): Promise<void> {
  const { gainText, worths } = await import('../report/gain.ts');
  print(`Gain             ${gainText(gain)}`);
  for (const [what, worth] of worths(gain)) print(`                 ${worth}  ${what}`);
}

async function printCurves({ run, events }: RunFiles): Promise<void> {
  const last = events.at(-1);
  if (last === undefined) return;
  const { formatDice, plural } = await import('../report/format.ts');
  const { kindOf, proposerOf } = await import('../run/run-record.ts');
  const colours = coloursOf(process.stdout);
  const rewards = events.flatMap((event) => event.reward_mean ?? []);
  const entropies = events.flatMap(({ entropy }) => entropy ?? []);
  const { space, system } = run.settings;
  const { what, how, step } = {
    search: { what: 'Search', how: `${proposerOf(run)} in the ${space} space`, step: 'controller step' },
    cell_search: { what: 'Search', how: 'the cells of a network', step: 'step' },
    training: { what: 'Training', how: 'one network', step: 'step' },
  }[kindOf(run.settings)];
  const steps = `${plural(last.step, step)}, ${plural(last.steps, 'training step')}`;
  print(`${colours.bold(what)}  (${[system ?? [], how].flat().join(', ')}, ${steps})`);
  const [first, latest] = [rewards.at(0), rewards.at(-1)];
  if (first !== undefined && latest !== undefined)
    print(`reward   ${colours.cyan(sparkline(rewards))}  ${formatDice(first)} to ${formatDice(latest)} %`);
  const ends = [entropies.at(0), entropies.at(-1)].flatMap((entropy) => entropy?.toFixed(2) ?? []);
  if (ends.length > 0) print(`entropy  ${colours.cyan(sparkline(entropies))}  ${ends.join(' to ')} nats`);
  const augmented = events.find((event) => event.augmented);
  if (augmented) print(`patches augmented ${augmented.step === 1 ? 'throughout' : `from step ${augmented.step} on`}`);
  print('');
}

/** Which run it started from, and with how many of its weights; nothing where it started from none. */
function printStart({ run: { settings, taken_over } }: RunFiles): void {
  if (!settings.from || !taken_over) return;
  const { taken, adapted, drawn_anew } = taken_over;
  const weights = `${taken} weights taken over, ${adapted} adapted, ${drawn_anew} drawn anew`;
  print(`${coloursOf(process.stdout).bold('Started from')}  ${settings.from.run} (${weights})\n`);
}

/** How it was found where kernels are 1x3x3; nothing where a rule says it. */
async function printRace({ run }: RunFiles): Promise<void> {
  const { raceNote } = await import('../report/run-words.ts');
  if (run.race) print(`${raceNote(run)}\n`);
}

/** In what the run's recipe differs from the default one; nothing where it does not. */
async function printRecipe({ folder, run }: RunFiles): Promise<void> {
  const { defaultRecipe, differences } = await import('../recipe/recipe.ts');
  const differing = differences(run.recipe, defaultRecipe);
  if (differing.length === 0) return;
  const colours = coloursOf(process.stdout);
  print(`${colours.bold('Recipe')}  (ronasmis show ${folder} --json has all of it)`);
  const text = (value: unknown): string => {
    if (value === null) return 'none';
    return typeof value === 'number' ? String(Number(value.toPrecision(3))) : JSON.stringify(value);
  };
  const rows = differing.map(({ section, name, value, other }) => [`${section}.${name}`, text(value), text(other)]);
  print(`${table(['constant', 'here', 'default'], rows)}\n`);
}
