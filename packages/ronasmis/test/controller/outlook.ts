import type { Outlook } from '../../src/controller/controller.ts';

/** How a search of so many controller steps begins. */
export function outlookOf(expectedSteps: number, done = 0): Outlook {
  return { expectedSteps, done };
}
