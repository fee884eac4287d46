import { caseMean, type DiceSummary } from '../../evaluation/summary.ts';
import type { Known } from './known.ts';
import type { CaseDice, CaseTable } from './messages.ts';

type Scores = DiceSummary['cases'];

/** Dice by case, the worst first: of the test and the validation cases of a finished run, else those of the last step's best child. */
export function caseTables({ report, lastEvaluated }: Known): readonly CaseTable[] {
  if (report !== null) {
    const { test_dice, validation_dice } = report;
    return [tableOf('Test cases', test_dice.cases), tableOf('Validation cases', validation_dice.cases)].filter(
      ({ cases }) => cases.length > 0,
    );
  }
  if (lastEvaluated?.best_scores === undefined) return [];
  const half = lastEvaluated.coarse ? ', at half the resolution' : '';
  return [tableOf(`Validation cases, best child of step ${lastEvaluated.step}${half}`, lastEvaluated.best_scores)];
}

function tableOf(title: string, scores: Scores): CaseTable {
  const cases = Object.entries(scores).map(([name, classes]): CaseDice => ({ name, mean: caseMean(classes), classes }));
  return { title, cases: cases.sort((one, other) => (one.mean ?? 2) - (other.mean ?? 2)) };
}
