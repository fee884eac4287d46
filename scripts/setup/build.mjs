// Builds what is compiled: the native addon with CMake, the packages with tsc.
import { existsSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fingerprint, readIfThere, root, write } from './files.mjs';
import { findCompiler } from './requirements.mjs';
import { mustRun } from './terminal.mjs';

const addonPackage = join(root, 'packages/libtorch');
const addonFolder = join(addonPackage, 'build');
const addonStamp = join(addonFolder, 'stamp');
const typesStamp = join(root, 'node_modules/.cache/ronasmis/typescript');
const packages = ['packages/libtorch', 'packages/ronasmis'].map((name) => join(root, name));
const REPORT = 'A fresh clone compiles; if you changed nothing, please report this with the lines above.';

/** Whether the addon was built from these sources for this libtorch folder. */
export function addonIsCurrent(libtorch) {
  return existsSync(join(addonFolder, 'ronasmis_libtorch.node')) && readIfThere(addonStamp) === addonState(libtorch);
}

/** Compiles the addon for a libtorch folder. */
export async function buildAddon(libtorch) {
  rmSync(join(addonFolder, 'CMakeCache.txt'), { force: true }); // it would insist on the compiler and the path of last time
  const headers = join(root, 'node_modules/node-api-headers/include');
  const settings = [`-DLIBTORCH=${libtorch}`, `-DNODE_API_HEADERS=${headers}`, '-DCMAKE_BUILD_TYPE=Release'];
  const compiler = `-DCMAKE_CXX_COMPILER=${await findCompiler()}`;
  await mustRun('cmake', ['-S', addonPackage, '-B', addonFolder, compiler, ...settings], REPORT);
  await mustRun('cmake', ['--build', addonFolder, '-j', String(availableParallelism())], REPORT);
  write(addonStamp, addonState(libtorch));
}

/** Whether the packages' JavaScript was made from these sources. */
export function typescriptIsCurrent() {
  const built = packages.every((folder) => existsSync(join(folder, 'dist/index.js')));
  return built && readIfThere(typesStamp) === typescriptState();
}

/** Compiles the packages' TypeScript, as far as it changed. */
export async function buildTypescript() {
  await mustRun(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', root], REPORT);
  write(typesStamp, typescriptState());
}

function addonState(libtorch) {
  return fingerprint([join(addonPackage, 'native'), join(addonPackage, 'CMakeLists.txt')], libtorch);
}

function typescriptState() {
  const sources = packages.flatMap((folder) => [join(folder, 'src'), join(folder, 'tsconfig.json')]);
  return fingerprint([...sources, join(root, 'tsconfig.base.json'), join(root, 'tsconfig.json')]);
}
