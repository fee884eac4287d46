import cliProgress from 'cli-progress';
import { Argument, type Command } from 'commander';
import type { DownloadProgress } from '../download/download.ts';
import { decathlonTasks } from '../download/tasks.ts';
import { formatBytes, formatSeconds } from '../report/format.ts';
import { interruptible } from './interrupt.ts';
import { jsonOption } from './options.ts';
import { note, print, printJson } from './output.ts';
import { drawBar } from './progress.ts';

interface Options {
  readonly out: string;
  readonly json?: true;
}

/** Adds `download TASK`. */
export function addDownload(program: Command): void {
  const names = decathlonTasks.map(({ name }) => name);
  program
    .command('download')
    .description('download a task of the Medical Segmentation Decathlon (CC BY-SA 4.0), ready for search')
    .addArgument(new Argument('<task>', 'one of the ten tasks').choices(names))
    .requiredOption('--out <folder>', 'folder in which to create the data set')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis download Task05_Prostate --out data')
    .action(async (task: string, { out, json }: Options) => {
      const { download } = await import('../download/download.ts');
      const view = openDownload(process.stderr);
      const folder = await interruptible('Type the same command again to go on.', (signal) =>
        download(task, out, { signal, onProgress: view.update }).finally(view.stop),
      );
      if (json) {
        printJson({ data_set: folder });
        return;
      }
      print(folder);
      note(`Look at it with: ronasmis inspect ${folder}`);
    });
}

const PHASES: Readonly<Record<DownloadProgress['phase'], string>> = {
  fetch: 'Downloading',
  check: 'Checking',
  unpack: 'Unpacking',
};

/** A bar on a terminal, elsewhere a plain line a phase and one for each tenth that has come. */
function openDownload(stream: NodeJS.WriteStream) {
  let known: DownloadProgress | undefined;
  if (!stream.isTTY) {
    return {
      update: (progress: DownloadProgress) => {
        const isNew = tenthsOf(known) !== tenthsOf(progress);
        if (known?.phase !== progress.phase)
          stream.write(`${PHASES[progress.phase]} (${formatBytes(progress.totalBytes)})\n`);
        else if (progress.phase === 'fetch' && isNew) stream.write(`${tenthsOf(progress)}0 %${timeLeft(progress)}\n`);
        known = progress;
      },
      stop: () => {},
    };
  }
  const bar = new cliProgress.SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    format: (_, { progress }) =>
      known === undefined
        ? 'Connecting'
        : `${PHASES[known.phase].padEnd(12)} ${drawBar(progress, stream)} ${formatBytes(known.doneBytes)} of ${formatBytes(known.totalBytes)}${timeLeft(known)}`,
  });
  bar.start(1, 0);
  return {
    update: (progress: DownloadProgress) => {
      known = progress;
      bar.setTotal(progress.totalBytes);
      bar.update(progress.doneBytes);
    },
    stop: () => bar.stop(),
  };
}

const tenthsOf = (progress: DownloadProgress | undefined): number =>
  progress === undefined ? 0 : Math.floor((10 * progress.doneBytes) / progress.totalBytes);

const timeLeft = ({ secondsLeft }: DownloadProgress): string =>
  secondsLeft === undefined ? '' : `, ${formatSeconds(secondsLeft)} left`;
