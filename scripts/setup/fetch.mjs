// Fetches libtorch through pip, as files: the wheel of torch holds it, and no Python runs afterwards.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, sizeOf } from './files.mjs';
import { inspect } from './libtorch.mjs';
import { demandDiskSpace, hasNvidiaDriver } from './requirements.mjs';
import { mustRun, SetupError, say } from './terminal.mjs';

const TORCH = '2.15.0';
/** libtorch_cpu.so of that wheel links to these two even where there is no GPU. */
const CPU_COMPANIONS = ['nvidia-cuda-runtime==13.2.*', 'nvidia-cuda-cupti==13.2.*'];
const DISK_BYTES = { cpu: 3e9, cuda: 10e9 };

const store = join(root, '.libtorch');

/** Fetches libtorch into .libtorch/ and returns {folder, version, origin, cuda}. An interruption leaves nothing half. */
export async function fetchLibtorch() {
  const cuda = process.platform === 'linux' && hasNvidiaDriver();
  const final = join(store, `torch-${TORCH}${cuda ? '-cuda' : ''}`);
  if (!existsSync(final)) {
    demandDiskSpace(cuda ? DISK_BYTES.cuda : DISK_BYTES.cpu, 'Fetching libtorch');
    const partial = join(store, `partial-${process.pid}`);
    removeAbandoned();
    renameSync(await assemble(partial, cuda), final);
    rmSync(partial, { recursive: true });
  }
  const found = inspect(join(final, 'torch'));
  if (!found) throw new SetupError(`${final} is damaged. Delete it and start again.`);
  return { ...found, origin: 'pip' };
}

/** Installs into `partial` and returns a folder below it with only what linking and running need. */
async function assemble(partial, cuda) {
  const torch = join(partial, 'torch-wheel');
  const nvidia = join(partial, 'nvidia-wheels');
  await pipInstall([`torch==${TORCH}`], torch, partial);
  if (process.platform === 'linux')
    await pipInstall(cuda ? await cudaPackages(torch, partial) : CPU_COMPANIONS, nvidia, partial);

  const kept = join(partial, 'kept');
  mkdirSync(join(kept, 'torch'), { recursive: true });
  for (const name of ['lib', 'include', 'share']) renameSync(join(torch, 'torch', name), join(kept, 'torch', name));
  for (const name of readdirSync(torch).filter((name) => name.endsWith('.dist-info')))
    renameSync(join(torch, name), join(kept, name)); // the licences travel along
  if (existsSync(nvidia)) renameSync(join(nvidia, 'nvidia'), join(kept, 'nvidia'));
  const unused = cuda ? /^libtorch_python/ : /^libtorch_python|cuda|nvshmem|nvrtc/;
  for (const name of readdirSync(join(kept, 'torch/lib')).filter((name) => unused.test(name)))
    rmSync(join(kept, 'torch/lib', name));
  return kept;
}

/** The CUDA packages that torch's own metadata asks for, without what only Python needs. */
async function cudaPackages(torch, partial) {
  const asked = requirementsIn(torch, 'torch');
  const toolkit = asked.find(({ name }) => name === 'cuda-toolkit');
  const direct = asked.filter(({ name }) => name.startsWith('nvidia-'));
  if (!toolkit) return direct.map(({ name, version }) => name + version);

  const folder = join(partial, 'toolkit-wheel');
  await pipInstall([`cuda-toolkit${toolkit.version}`], folder, partial);
  const parts = requirementsIn(folder, 'cuda_toolkit').filter(
    ({ marker }) =>
      marker.includes(process.arch === 'arm64' ? "'aarch64'" : "'x86_64'") &&
      toolkit.extras.includes(marker.match(/extra == '([^']+)'/)?.[1]),
  );
  return [...new Set([...direct, ...parts].map(({ name, version }) => name + version))];
}

/** The Requires-Dist lines of an installed package: {name, extras, version, marker}. */
function requirementsIn(folder, distribution) {
  const info = readdirSync(folder).find((name) => name.startsWith(`${distribution}-`) && name.endsWith('.dist-info'));
  const lines = readFileSync(join(folder, info ?? '', 'METADATA'), 'utf8').matchAll(
    /^Requires-Dist: ([\w.-]+)(?:\[(.*?)\])?([^;\n]*);?(.*)$/gm,
  );
  return [...lines].map(([, name, extras = '', version, marker]) => ({
    name,
    extras: extras.split(','),
    version: version.trim(),
    marker,
  }));
}

async function pipInstall(packages, target, partial) {
  // pip downloads and unpacks in its temporary folder: on the same disk it need not copy, and its size shows the progress.
  const temporary = join(partial, 'temporary');
  mkdirSync(temporary, { recursive: true });
  const terminal = process.stderr.isTTY;
  const platforms = platformTags().flatMap((tag) => ['--platform', tag]);
  const options = ['--no-deps', '--only-binary=:all:', '--python-version', '3.11', ...platforms, '--target', target];
  const env = {
    ...process.env,
    TMPDIR: temporary,
    PIP_ROOT_USER_ACTION: 'ignore',
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
  };
  let bytes = 0;
  const report = () => {
    bytes = Math.max(bytes, sizeOf(partial)); // pip deletes what it has unpacked
    say(`  ${Math.round(bytes / 1e6)} MB downloaded and unpacked`);
  };
  const progress = terminal ? undefined : setInterval(report, 5000);
  try {
    await mustRun(
      'python3',
      ['-m', 'pip', 'install', '--progress-bar', terminal ? 'on' : 'off', ...options, ...packages],
      'See what pip said; check the network (pip config, proxy), or set RONASMIS_LIBTORCH to a libtorch 2.10 or newer.',
      { env, show: terminal },
    );
  } finally {
    clearInterval(progress);
  }
}

/** The wheel tags that run here, best first. */
function platformTags() {
  if (process.platform === 'darwin')
    return [15, 14, 13, 12, 11].map((major) => `macosx_${major}_0_${process.arch === 'arm64' ? 'arm64' : 'x86_64'}`);
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const minors = Array.from({ length: 12 }, (_, index) => 28 - index); // glibc 2.28 down to 2.17
  return [...minors.map((minor) => `manylinux_2_${minor}_${architecture}`), `manylinux2014_${architecture}`];
}

/** Removes what interrupted set-ups left behind; a folder of a set-up that still runs is left alone. */
function removeAbandoned() {
  if (!existsSync(store)) return;
  for (const name of readdirSync(store)) {
    const processId = Number(name.match(/^partial-(\d+)$/)?.[1]);
    if (processId && !isRunning(processId)) removeIfUnused(join(store, name));
  }
}

function removeIfUnused(folder) {
  try {
    rmSync(folder, { recursive: true });
  } catch {
    // the pip of a killed set-up still writes there: the next set-up removes it
  }
}

function isRunning(processId) {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
