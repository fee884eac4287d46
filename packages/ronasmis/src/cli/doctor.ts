import type { Command } from 'commander';
import type { Diagnosis } from '../engine/doctor.ts';
import { Exit } from './exit.ts';
import { jsonOption } from './options.ts';
import { coloursOf, print, printJson } from './output.ts';

/** Adds `doctor`. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('show libtorch, devices, processor features and the precision in use, and what is missing')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ ronasmis doctor')
    .action(async ({ json }: { readonly json?: true }) => {
      const { diagnose } = await import('../engine/doctor.ts');
      const diagnosis = await diagnose();
      if (json) printJson(diagnosis);
      else await printDiagnosis(diagnosis);
      if (!diagnosis.ready) throw new Exit(2);
    });
}

async function printDiagnosis(diagnosis: Diagnosis): Promise<void> {
  const { formatBytes } = await import('../report/format.ts');
  const { engine } = diagnosis;
  const colours = coloursOf(process.stdout);
  const row = (name: string, value: string) => print(`${colours.dim(name.padEnd(10))} ${value}`);
  row('RONASMIS', `${diagnosis.ronasmis}, Node ${diagnosis.node}, ${diagnosis.platform}`);
  row('memory', `${formatBytes(diagnosis.memory_bytes)}, ${formatBytes(diagnosis.free_memory_bytes)} of it free`);
  if (engine !== null) {
    const { cuda, cpu } = engine;
    row('libtorch', `${engine.version} in ${engine.folder}`);
    row('processor', `${cpu.name}: ${cpu.threads} threads, ${cpu.capability}, bfloat16 by ${cpu.bf16}`);
    row(
      'GPU',
      cuda.loaded
        ? `${cuda.devices} CUDA, ${cuda.fusedKernels ? 'own' : "libtorch's"} kernels`
        : engine.mps
          ? 'Metal'
          : 'none',
    );
    row('in use', colours.bold(`${diagnosis.device} in ${diagnosis.precision}`));
  }
  if (diagnosis.precision_seconds !== null) {
    const { fp32, bf16, fp16 } = diagnosis.precision_seconds;
    const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(1)} ms`;
    const inBf16 = bf16 === null ? 'not in bf16' : `${milliseconds(bf16)} in bf16`;
    const inFp16 = fp16 === null ? '' : `, ${milliseconds(fp16)} in fp16`;
    row('measured', `a block's forward and backward pass: ${milliseconds(fp32)} in fp32, ${inBf16}${inFp16}`);
  }
  print('');
  for (const { severity, message } of diagnosis.findings) {
    const colour = severity === 'error' ? colours.red : colours.yellow;
    print(colour(colours.bold(`${severity}: ${message}`)));
  }
  print(diagnosis.ready ? colours.green('Ready to search.') : colours.red('Not ready.'));
}
