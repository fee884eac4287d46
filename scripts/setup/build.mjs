// Builds what is compiled: the native addon with CMake, the packages with tsc.
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { keepAddon, keptAddon } from './addon-cache.mjs';
import { fingerprint, readIfThere, root, write } from './files.mjs';
import { findCompiler } from './requirements.mjs';
import { mustRun, run, say } from './terminal.mjs';

const addonPackage = join(root, 'packages/libtorch');
const addonFolder = join(addonPackage, 'build');
const addonFile = join(addonFolder, 'ronasmis_libtorch.node');
const addonStamp = join(addonFolder, 'stamp');
const typesStamp = join(root, 'node_modules/.cache/ronasmis/typescript');
const packages = ['packages/libtorch', 'packages/ronasmis', 'packages/dashboard'].map((name) => join(root, name));
const dashboard = join(root, 'packages/dashboard');
const REPORT = 'A fresh clone compiles; if you changed nothing, please report this with the lines above.';
/** What a compiler takes while it reads libtorch's headers, in bytes. */
const COMPILER_MEMORY = 1.5e9;

/** Whether the addon was built from these sources for this libtorch: {folder, version}. */
export function addonIsCurrent(libtorch) {
  return existsSync(addonFile) && readIfThere(addonStamp) === addonState(libtorch);
}

/** Compiles the addon for a libtorch, or takes it from the user's cache folder where the same was compiled before. */
export async function buildAddon(libtorch) {
  const state = addonState(libtorch);
  const compiler = await findCompiler();
  const units = await vectorUnits(compiler);
  const { output: version } = await run(compiler, ['--version']);
  const { CXXFLAGS = '', LDFLAGS = '' } = process.env;
  const made = [state, compiler, version, units.join(), process.platform, process.arch, CXXFLAGS, LDFLAGS];
  const key = fingerprint([], made.join('\n'));
  const kept = keptAddon(key);
  if (kept) {
    say(`  it was compiled before: taken from ${kept}`);
    mkdirSync(addonFolder, { recursive: true });
    rmSync(addonFile, { force: true }); // a program may run with the old one: it keeps what it has opened
    copyFileSync(kept, addonFile);
  } else {
    await compileAddon(libtorch.folder, compiler, units);
    keepAddon(key, addonFile);
  }
  write(addonStamp, state);
}

async function compileAddon(libtorch, compiler, units) {
  rmSync(join(addonFolder, 'CMakeCache.txt'), { force: true }); // it would insist on the compiler and the path of last time
  const settings = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_CXX_COMPILER: compiler,
    LIBTORCH: libtorch,
    LIBTORCH_RPATH: libtorchRpath(libtorch),
    NODE_API_HEADERS: join(root, 'node_modules/node-api-headers/include'),
    VECTOR_UNITS: units.join(';'),
  };
  const definitions = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  await mustRun('cmake', ['-S', addonPackage, '-B', addonFolder, ...definitions], REPORT);
  await mustRun('cmake', ['--build', addonFolder, '--target', 'ronasmis_libtorch', '-j', String(jobs())], REPORT);
}

/** As many compilers at once as there are processors and as memory suffices for. */
function jobs() {
  const memory = process.availableMemory?.() ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / COMPILER_MEMORY)));
}

/** The kinds of vector units that the kernels' loops are compiled for: those that this processor has, and what every one has. */
async function vectorUnits(compiler) {
  if (process.arch !== 'x64') return ['default'];
  const { output } = await run(compiler, ['-march=native', '-dM', '-E', '-x', 'c++', '-']);
  const has = (...names) => names.every((name) => output.includes(`#define __${name}__ 1`));
  const avx2 = has('AVX2', 'FMA', 'F16C');
  const avx512 = avx2 && has('AVX512F', 'AVX512BW', 'AVX512VL', 'AVX512DQ');
  return ['default', ...(avx2 ? ['avx2'] : []), ...(avx512 ? ['avx512'] : [])];
}

/** Where the addon looks for libtorch: beside itself where libtorch is in the checkout, so that a moved or second checkout can use it. */
function libtorchRpath(libtorch) {
  const library = join(libtorch, 'lib');
  const toRoot = relative(root, library);
  if (toRoot.startsWith('..')) return library;
  return [process.platform === 'darwin' ? '@loader_path' : '$ORIGIN', relative(addonFolder, root), toRoot].join('/');
}

/** Whether the packages' JavaScript was made from these sources. */
export function typescriptIsCurrent() {
  const built = packages.every((folder) =>
    ['dist/index.js', 'dist/server/index.js'].some((file) => existsSync(join(folder, file))),
  );
  return built && readIfThere(typesStamp) === typescriptState();
}

/** Compiles the packages' TypeScript, as far as it changed. */
export async function buildTypescript() {
  await mustRun(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', root], REPORT);
  write(typesStamp, typescriptState());
}

/** The pages that a browser loads, by their folders in `dist`: the live page, that of reports, and the one that segments, which is made of the library as well. */
const pages = {
  page: { config: 'vite.config.ts', sources: ['src/page', 'src/shared'].map((name) => join(dashboard, name)) },
  report: {
    config: 'vite.report.config.ts',
    sources: ['src/report', 'src/page', 'src/shared'].map((name) => join(dashboard, name)),
  },
  segmenter: {
    config: 'vite.segmenter.config.ts',
    sources: [join(dashboard, 'src'), join(root, 'packages/ronasmis/src')],
  },
};

/** Whether the pages were built from these sources. */
export function pageIsCurrent() {
  return Object.keys(pages).every(isCurrent);
}

/** Builds the pages that are not current: what the browser loads, in few files. */
export async function buildPage() {
  for (const [name, { config }] of Object.entries(pages)) {
    if (isCurrent(name)) continue;
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const args = [vite, 'build', '--config', join(dashboard, config), '--logLevel', 'error'];
    await mustRun(process.execPath, args, REPORT, { cwd: root });
    write(stampOf(name), pageState(name));
  }
}

const stampOf = (name) => join(root, 'node_modules/.cache/ronasmis', name);
const isCurrent = (name) =>
  existsSync(join(dashboard, 'dist', name, 'index.html')) && readIfThere(stampOf(name)) === pageState(name);

function addonState({ folder, version }) {
  const sources = [join(addonPackage, 'native'), join(addonPackage, 'CMakeLists.txt')];
  const library = ['so', 'dylib'].map((suffix) => join(folder, `lib/libtorch_cpu.${suffix}`)).find(existsSync);
  const bytes = library === undefined ? 0 : statSync(library).size; // of one version there are several builds
  return fingerprint(sources, [version, bytes, libtorchRpath(folder)].join('\n'));
}

function typescriptState() {
  const sources = packages.flatMap((folder) => [join(folder, 'src'), join(folder, 'tsconfig.json')]);
  return fingerprint([...sources, join(root, 'tsconfig.base.json'), join(root, 'tsconfig.json')]);
}

function pageState(name) {
  const { config, sources } = pages[name];
  return fingerprint([...sources, join(dashboard, config), join(root, 'package-lock.json')]);
}
