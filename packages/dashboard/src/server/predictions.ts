import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Case } from 'ronasmis/data';
import { UserError } from 'ronasmis/run';
import { z } from 'zod';

/** Segments cases when the page asks for it, one at a time, into a folder that goes with this server. */
export interface Predictions {
  /** The label map of a case, where it was made. */
  readonly made: (run: string, name: string) => string | undefined;
  /** @throws UserError where the program can't segment it */
  readonly make: (run: string, entry: Case) => Promise<void>;
  readonly close: () => void;
}

const outcomeSchema = z.object({
  predictions: z.array(z.object({ output: z.string() })).optional(),
  problems: z.array(z.string()).optional(),
  error: z.string().optional(),
});

/** The command line's program beside the library. */
const programPath = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('ronasmis/run')), '../../bin/ronasmis.mjs');

/** @param temporary a folder for label maps */
export function createPredictions(temporary: string): Predictions {
  const files = new Map<string, string>();
  const abort = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;
  const keyOf = (run: string, name: string): string => `${run}\n${name}`;
  return {
    made: (run, name) => files.get(keyOf(run, name)),
    make: (run, { name, images }) => {
      const work = async (): Promise<void> => {
        if (files.has(keyOf(run, name))) return;
        count += 1;
        const out = join(temporary, `prediction-${count}`);
        files.set(
          keyOf(run, name),
          await runPredict(['predict', run, ...images, '--out', out, '--json'], abort.signal),
        );
      };
      const done = last.then(work);
      last = done.catch(() => {});
      return done;
    },
    close: () => abort.abort(),
  };
}

/** A process of its own, as this one has to go on serving. */
function runPredict(words: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [programPath(), ...words], { stdio: ['ignore', 'pipe', 'pipe'], signal });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr = (said.stderr + text).slice(-4000);
    });
    child.on('error', reject).on('close', () => {
      const outcome = outcomeSchema.safeParse(parsed(said.stdout));
      const output = outcome.data?.predictions?.at(0)?.output;
      const why = outcome.data?.error ?? outcome.data?.problems?.join(' ') ?? said.stderr.trim();
      if (output === undefined) reject(new UserError(why === '' ? 'The prediction was stopped.' : why));
      else resolve(output);
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
