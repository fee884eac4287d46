import { Command, CommanderError } from 'commander';
import { isLoadError, isRankError, UserError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { addCompare } from './compare.ts';
import { addDashboard } from './dashboard.ts';
import { addDoctor } from './doctor.ts';
import { addDownload } from './download.ts';
import { addEvaluate } from './evaluate.ts';
import { Exit } from './exit.ts';
import { addExport } from './export.ts';
import { addInspect } from './inspect.ts';
import { coloursOf, note, printJson } from './output.ts';
import { addPlan } from './plan.ts';
import { addPredict } from './predict.ts';
import { addResume } from './resume.ts';
import { addSearch } from './search.ts';
import { addServe } from './serve.ts';
import { addShow } from './show.ts';
import { addStudy } from './study.ts';

/**
 * The command line.
 * @param args the words after the program's name
 * @returns the exit code: 0, 2 for what the user can fix, 1 for a defect, 130 after Ctrl-C
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Who asked for JSON finds it on standard output also when something went wrong.
    if (args.includes('--json')) printJson({ error: error instanceof Error ? error.message : String(error) });
    return explain(error);
  }
}

function createProgram(): Command {
  const program = new Command('ronasmis')
    .description('Searches and trains a 3D medical image segmentation network on your own scans.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('Add --help to see verbs and options.');
  const verbs = [
    addSearch,
    addResume,
    addPredict,
    addEvaluate,
    addInspect,
    addShow,
    addDashboard,
    addExport,
    addServe,
    addPlan,
    addStudy,
    addCompare,
    addDownload,
    addDoctor,
  ];
  for (const add of verbs) add(program);
  return program;
}

/** Says on standard error what went wrong; returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return 2; // commander has said it
  const colours = coloursOf(process.stderr);
  if (error instanceof UserError || isLoadError(error) || isRankError(error)) {
    note(`${colours.red('error:')} ${error.message}`);
    return 2;
  }
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  note(colours.red('This is a defect of RONASMIS. Please report it with the lines above and the command you typed.'));
  return 1;
}
