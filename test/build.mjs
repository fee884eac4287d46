import { buildTypescript } from '../scripts/setup/build.mjs';

/**
 * Compiles what changed of the packages before any test runs, so that the command line that tests start is never an old one.
 * @param {import('vitest/node').TestProject} project
 */
export async function setup(project) {
  await buildTypescript();
  project.onTestsRerun(buildTypescript);
}
