// @ts-check
// A search space of your own in place of ours: the paper's without dilated convolutions, so that the same time goes into fewer choices.
//
//   node examples/my-space.mjs DATASET RUN [EPOCHS]
import { createSpace, search, UserError } from 'ronasmis';

/** @type {import('ronasmis').CreateSpace} */
function undilated(volume, dimensions, limits) {
  const macro = createSpace('macro', volume, dimensions, limits);
  return {
    ...macro,
    admitted: (choices) => {
      const { choice } = macro.decisions[choices.length];
      // The first dilation is 1, which every space has.
      return macro.admitted(choices).map((admitted, option) => admitted && (choice !== 'dilation' || option === 0));
    },
  };
}

const [dataSet, run, epochs = '10'] = process.argv.slice(2);

try {
  const { report, architecture } = await search({
    dataSet,
    out: run,
    space: undilated,
    epochs: Number(epochs),
    // By default a short search trains the base child alone.
    controller: 'reinforce',
  });
  console.log(`Test Dice ${report.test_dice.mean?.toFixed(3)}`);
  console.log(JSON.stringify(architecture));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
