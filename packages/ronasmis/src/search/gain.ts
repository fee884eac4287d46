import type { Gain } from '../run/report.ts';
import { differencesFrom } from '../space/differences.ts';
import { type Evaluable, type Evaluation, evaluatedTwin } from './evaluating.ts';

/** Evaluates a network where there is time for it. */
export type EvaluateInTime = (network: Evaluable) => Promise<Evaluation | undefined>;

/**
 * What a search has gained over the base child: what both are worth, and what the found one is worth without each kind of its choices, all by the
 * weights that they share. undefined where there is no time to evaluate the base child.
 * @param evaluated networks of which this is known, the base child and the found one among them
 */
export async function gainOver(
  base: Evaluable,
  found: Evaluable & Evaluation,
  evaluated: readonly (Evaluable & Evaluation)[],
  evaluate: EvaluateInTime,
): Promise<Gain | undefined> {
  const rewardOf = async (network: Evaluable): Promise<number | undefined> =>
    (evaluatedTwin([...evaluated, found], network) ?? (await evaluate(network)))?.reward;
  const ofBase = await rewardOf(base);
  if (ofBase === undefined || base.architecture.kind !== undefined || found.architecture.kind !== undefined)
    return undefined;
  const differences: Gain['differences'][number][] = [];
  for (const { what, without } of differencesFrom(base.architecture, found.architecture)) {
    differences.push({ what, without: (await rewardOf({ architecture: without })) ?? null });
  }
  return { found: found.reward, base: ofBase, differences };
}
