import { type Command, Option } from 'commander';
import type { Check } from '../export/check.ts';
import { jsonOption, overwriteOption } from './options.ts';
import { print, printJson } from './output.ts';

type Options = { readonly out: string; readonly overwrite?: true; readonly json?: true };

/** Adds `export RUN`. */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write the network of a search as an ONNX file, checked where onnxruntime-node is installed')
    .argument('<run>', 'run folder of a finished search')
    .requiredOption('--out <file>', 'file to write, such as model.onnx')
    // The one format that there is, for those who name it.
    .addOption(new Option('--format <format>').choices(['onnx']).hideHelp())
    .addOption(overwriteOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis export runs/prostate --out prostate.onnx')
    .action(async (run: string, { json, ...options }: Options) => {
      const { exportOnnx } = await import('../export/export.ts');
      const exported = await exportOnnx({ run, ...options });
      if (json) {
        printJson(exported);
        return;
      }
      const { formatBytes } = await import('../report/format.ts');
      print(`${exported.output}  ${formatBytes(exported.bytes)}`);
      print(checkText(exported.check));
    });
}

function checkText(check: Check): string {
  if (check.kind === 'unchecked') return `Not checked against this program's own prediction: ${check.reason}.`;
  const { largestDifference, largestLogit, equalLabels, shape } = check;
  const labels = `${(100 * equalLabels).toFixed(3)} % of the labels are equal`;
  const logits = `logits of up to ${largestLogit.toPrecision(3)} differ by ${largestDifference.toPrecision(2)} at most`;
  return `Checked by ONNX Runtime on ${shape.slice(2).join(' x ')} voxels: ${logits}, and ${labels}.`;
}
