// From labelled scans to segmentations and their scores, by the library: what `search`, `predict` and `evaluate` do on the command line.
//
//   node examples/search.mjs DATASET RUN SCANS LABELS [SECONDS]
import { join } from 'node:path';
import { evaluate, predict, search, UserError } from 'ronasmis';

const [dataSet, run, scans, labels, seconds = '900'] = process.argv.slice(2);

try {
  const { report, architecture } = await search(
    { dataSet, out: run, timeSeconds: Number(seconds) },
    {
      onStart: ({ engine }) => console.log(`Searching on ${engine.device} in ${engine.precision}`),
      onProgress: ({ phase, step, dice }) => {
        if (dice !== undefined) console.log(`${phase} ${step}: best Dice ${dice.toFixed(3)}`);
      },
    },
  );
  console.log(
    `Test Dice ${report.test_dice.mean.toFixed(3)}, training patch ${Object.values(architecture.patch).join(' x ')}`,
  );

  const out = join(run, 'predictions');
  for (const { output, seconds } of await predict({ run, inputs: [scans], out })) {
    console.log(`${output} in ${seconds.toFixed(2)} s`);
  }
  const { dice } = await evaluate(out, labels);
  console.log(`Dice of these ${dice.mean.toFixed(3)}`);
} catch (error) {
  // What the user can fix comes as a sentence; anything else is a defect.
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
