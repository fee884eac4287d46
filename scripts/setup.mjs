// Makes a fresh clone ready: npm packages, libtorch, the native addon, the compiled TypeScript, the pages.
// Runs before `npm start` and `npm test`; needs nothing but Node; safe to interrupt and to repeat.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  addonIsCurrent,
  buildAddon,
  buildPage,
  buildTypescript,
  pageIsCurrent,
  typescriptIsCurrent,
} from './setup/build.mjs';
import { fetchLibtorch } from './setup/fetch.mjs';
import { root } from './setup/files.mjs';
import { libtorchOnThisMachine, rememberedLibtorch, rememberLibtorch } from './setup/libtorch.mjs';
import { demand } from './setup/requirements.mjs';
import { mustRun, SetupError, say, step } from './setup/terminal.mjs';

async function setUp() {
  await demand(['node']);
  const remembered = rememberedLibtorch();
  const addonIsDue = !remembered || !addonIsCurrent(remembered);
  const present = remembered ?? (await libtorchOnThisMachine());
  await demand([...(addonIsDue ? ['compiler', 'cmake'] : []), ...(present ? [] : ['pip', 'glibc'])]);

  if (!packagesAreCurrent()) await step('Installing the npm packages', installPackages);
  const libtorch = present ?? (await step('Fetching libtorch with pip (some 600 MB, more for a GPU)', fetchLibtorch));
  if (!remembered) {
    say(`Using libtorch ${libtorch.version} in ${libtorch.folder}`);
    rememberLibtorch(libtorch);
  }
  if (addonIsDue) await step('Compiling the native addon', () => buildAddon(libtorch));
  if (!typescriptIsCurrent()) await step('Compiling the TypeScript', buildTypescript);
  if (!pageIsCurrent()) await step('Building the pages', buildPage);
}

/** npm writes node_modules/.package-lock.json when an installation is complete. */
function packagesAreCurrent() {
  const installed = join(root, 'node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

async function installPackages() {
  const fix = "Check the network and npm's configuration (registry, proxy), then start again.";
  // Not `npm ci`: it refuses a lockfile when a registry lacks an optional package of another platform (npm/cli issue 9846).
  // The lockfile's versions and checksums hold here as well, and --no-save leaves it as it is.
  // onnxruntime-node's install script would fetch CUDA libraries, and older versions of npm do not read allowScripts.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  await mustRun('npm', ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund'], fix, { cwd: root, env });
}

try {
  await setUp();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
