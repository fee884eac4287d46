import type { Controller } from '../controller/controller.ts';
import type { Team } from '../ranks/team.ts';

/**
 * A controller that all ranks ask, and the first one alone has: what it decides, and where it leaves the generator, the others hear. So they go on alike
 * though a processor of another kind might round otherwise.
 */
export function sharedController(controller: Controller, team: Team): Controller {
  if (team.size === 1) return controller;
  const propose =
    (ofFirst: Controller['proposeForTraining']): Controller['proposeForTraining'] =>
    (count, random, outlook) => {
      const { children, moved } = team.fromFirst(() => ({
        children: ofFirst(count, random, outlook),
        moved: random.state(),
      }));
      random.goTo(moved);
      return children;
    };
  return {
    ...controller,
    proposeForTraining: propose(controller.proposeForTraining),
    proposeForEvaluation: propose(controller.proposeForEvaluation),
    distributionOf: (children, outlook) => team.fromFirst(() => controller.distributionOf(children, outlook)),
    learn: (children, outlook) => team.fromFirst(() => controller.learn(children, outlook)),
    finalists: () => team.fromFirst(() => controller.finalists()),
  };
}
