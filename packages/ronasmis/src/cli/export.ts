import { type Command, Option } from 'commander';
import type { Check } from '../export/check.ts';
import type { ExportOptions } from '../export/export.ts';
import { jsonOption, overwriteOption } from './options.ts';
import { note, print, printJson } from './output.ts';

interface Options {
  readonly out: string;
  readonly format: (typeof formats)[number];
  readonly overwrite?: true;
  readonly json?: true;
}

/** As one file for other runtimes, or as a page that segments scans in a browser. */
const formats = ['onnx', 'web'] as const;

/** Adds `export RUN`. */
export function addExport(program: Command): void {
  program
    .command('export')
    .description(
      'write the network of a search as an ONNX file, or as a page that segments in a browser; checked where onnxruntime-node is installed',
    )
    .argument('<run>', 'run folder of a finished search')
    .requiredOption('--out <path>', 'file to write, such as model.onnx, or the folder of the page')
    .addOption(new Option('--format <format>', 'what is written').choices(formats).default('onnx'))
    .addOption(overwriteOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  $ ronasmis export runs/prostate --out prostate.onnx',
        '  $ ronasmis export runs/prostate --format web --out prostate-page',
      ].join('\n'),
    )
    .action(async (run: string, { json, format, ...options }: Options) => {
      const exported = await exportAs(format, { run, ...options });
      if (json) {
        printJson(exported);
        return;
      }
      const { formatBytes } = await import('../report/format.ts');
      print(`${exported.output}  ${formatBytes(exported.bytes)}`);
      print(checkText(exported.check));
      if (format === 'web')
        note(`Open it by 'ronasmis serve ${exported.output}', or put the folder on any file server.`);
    });
}

/** Loads no more than what is asked for. */
async function exportAs(format: Options['format'], options: ExportOptions) {
  if (format === 'web') return (await import('../export/web.ts')).exportWeb(options);
  return (await import('../export/export.ts')).exportOnnx(options);
}

function checkText(check: Check): string {
  if (check.kind === 'unchecked') return `Not checked against this program's own prediction: ${check.reason}.`;
  const { largestDifference, largestLogit, equalLabels, shape } = check;
  const labels = `${(100 * equalLabels).toFixed(3)} % of the labels are equal`;
  const logits = `logits of up to ${largestLogit.toPrecision(3)} differ by ${largestDifference.toPrecision(2)} at most`;
  return `Checked by ONNX Runtime on ${shape.slice(2).join(' x ')} voxels: ${logits}, and ${labels}.`;
}
