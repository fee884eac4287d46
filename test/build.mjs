import { buildPage, buildTypescript, pageIsCurrent } from '../scripts/setup/build.mjs';

/**
 * Compiles what changed of the packages before any test runs, so that the command line that tests start is never an old one, nor the page.
 * @param {import('vitest/node').TestProject} project
 */
export async function setup(project) {
  await build();
  project.onTestsRerun(build);
}

async function build() {
  await buildTypescript();
  if (!pageIsCurrent()) await buildPage();
}
