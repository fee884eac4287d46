import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { availableProcessors } from './machine.ts';

/** Folder of what set-up has built. */
export const build = new URL('../build/', import.meta.url);
/** The addon, which brings libtorch along. */
export const addonFile = fileURLToPath(new URL('ronasmis_libtorch.node', build));

/** Variables that make the system's loader take other libraries than those that the addon was built with. */
const loaderVariables = ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES', 'DYLD_LIBRARY_PATH'];

/** What the system's loader says where a limit leaves no room for a library. */
const lacksMemory = /failed to map segment|cannot allocate memory|out of memory/i;

/** The addon could not be loaded: the message is a sentence with the fix. Its `code` tells it where this package can't be imported. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly code = 'LIBTORCH_NOT_LOADED';

  constructor(cause: unknown) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const set = loaderVariables.filter((name) => process.env[name]);
    const fix = lacksMemory.test(reason)
      ? 'Memory does not suffice for it: raise the limit (ulimit -v, or that of the container or the job).'
      : set.length === 0
        ? "Run 'npm run setup' to build it."
        : `${set.map((name) => `${name} is set (${process.env[name]})`).join(' and ')}, which can bring in libraries that do not fit: unset it. If that does not help, run 'npm run setup'.`;
    super(`The native addon ${addonFile} could not be loaded: ${reason}. ${fix}`, { cause });
  }
}

/**
 * Tells OpenMP, which reads its environment once when it is loaded, how its threads behave; what the user has set holds. They sleep while
 * they wait for each other for longer than a moment: by default they spin for milliseconds, which takes the processor from whoever else computes on it, and a
 * search beside another then takes 15 times as long. And where a quota leaves less than the processors that are seen, there are fewer.
 */
export function prepareThreads(): void {
  const { env } = process;
  if (!env.OMP_WAIT_POLICY && !env.GOMP_SPINCOUNT && !env.KMP_BLOCKTIME) {
    env.GOMP_SPINCOUNT = '1000'; // some microseconds of GNU's runtime, which 300,000 are the default of
    env.KMP_BLOCKTIME = '0'; // LLVM's and Intel's
  }
  const processors = availableProcessors();
  if (!env.OMP_NUM_THREADS && processors < availableParallelism()) env.OMP_NUM_THREADS = String(processors);
}

/**
 * Begins to load libtorch in another thread, while this one goes on to read programs and files; to be called before this package is
 * imported, which then has less to wait for. What goes wrong here goes wrong there again, and is said there.
 */
export function preload(): void {
  prepareThreads();
  const dlopen = "process.dlopen({ exports: {} }, require('node:worker_threads').workerData)";
  new Worker(dlopen, { eval: true, workerData: addonFile }).on('error', () => {}).unref();
}
