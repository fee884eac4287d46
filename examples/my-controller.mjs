// @ts-check
// A controller of your own in place of ours: hill climbing, which goes on from the best child so far by one choice at a time.
//
//   node examples/my-controller.mjs DATASET RUN [EPOCHS]
import { admittedOptions, search, UserError } from 'ronasmis';

/** @type {import('ronasmis').CreateController} */
function hillClimbing(space) {
  /** Where the climb stands; plain values, which a checkpoint can keep. */
  let best = { choices: space.baseChoices, reward: 0 };

  /** @type {import('ronasmis').Controller['proposeForEvaluation']} */
  const propose = (count, random) => Array.from({ length: count }, () => neighbour(space, best.choices, random));

  return {
    begin: () => {},
    // The weights are trained on what is evaluated: they are shared by all children.
    proposeForTraining: propose,
    proposeForEvaluation: propose,
    distributionOf: () => null,
    learn: (children) => {
      // The weights have learnt since the last step, so that rewards rise by themselves: this step's best child is where to go on.
      const { choices, reward } = children.reduce((one, other) => (other.reward > one.reward ? other : one));
      best = { choices, reward };
      return null;
    },
    finalists: () => [best.choices],
    state: () => ({ tensors: new Map(), plain: best }),
    restore: ({ plain }) => {
      best = /** @type {typeof best} */ (plain);
    },
  };
}

/**
 * A child with one choice changed. Those after it stay as they are where the space still admits them.
 * @param {import('ronasmis').DecisionSpace} space
 * @param {import('ronasmis').Choices} choices
 * @param {import('ronasmis').Random} random
 */
function neighbour(space, choices, random) {
  const changed = random.integer(choices.length);
  const child = choices.slice(0, changed);
  while (child.length < choices.length) {
    const options = admittedOptions(space, child);
    const same = choices[child.length];
    const stays = child.length > changed && options.includes(same);
    child.push(stays ? same : options[random.integer(options.length)]);
  }
  return child;
}

const [dataSet, run, epochs = '10'] = process.argv.slice(2);

try {
  const { report } = await search(
    { dataSet, out: run, controller: hillClimbing, epochs: Number(epochs) },
    {
      onProgress: ({ step, reward }) => {
        if (reward !== undefined) console.log(`Step ${step}: mean reward ${reward.toFixed(3)}`);
      },
    },
  );
  console.log(`Test Dice ${report.test_dice.mean?.toFixed(3)}`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
