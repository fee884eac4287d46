// What must be on the machine, and what to type where it is missing.
import fs from 'node:fs';
import { root } from './files.mjs';
import { run, SetupError } from './terminal.mjs';

const GIGABYTE = 1e9;

/** Each answers undefined when all is well, or what is missing and how to install it. */
const requirements = {
  node: async () => {
    if (Number(process.versions.node.split('.')[0]) >= 20) return undefined;
    return missing(`Node 20 or newer (this is ${process.versions.node})`, 'nodejs', 'nodejs', 'brew install node');
  },
  compiler: async () => {
    if (await findCompiler()) return undefined;
    return missing('A C++ compiler that knows C++20', 'g++', 'gcc-c++', 'xcode-select --install');
  },
  cmake: async () => {
    const { code, output } = await run('cmake', ['--version']);
    const [major = 0, minor = 0] = (output.match(/\d+\.\d+/)?.[0] ?? '').split('.').map(Number);
    if (code === 0 && (major > 3 || (major === 3 && minor >= 20))) return undefined;
    return missing('CMake 3.20 or newer', 'cmake make', 'cmake make', 'brew install cmake');
  },
  pip: async () => {
    if ((await run('python3', ['-m', 'pip', '--version'])).code === 0) return undefined;
    const what = 'Python 3 with pip (it fetches libtorch; not needed when RONASMIS_LIBTORCH names a libtorch folder)';
    return missing(what, 'python3 python3-pip', 'python3 python3-pip', 'brew install python3');
  },
  glibc: async () => {
    if (process.platform !== 'linux') return undefined;
    const version = process.report.getReport().header.glibcVersionRuntime; // undefined on musl
    if (version && Number(version.split('.')[1]) >= 28) return undefined;
    return `libtorch from pip runs on glibc 2.28 or newer, and this system has ${version ?? 'another C library'}. Set RONASMIS_LIBTORCH to a libtorch built for it, or use a newer Linux.`;
  },
};

/** Throws one SetupError with a sentence for each of `names` that is missing. */
export async function demand(names) {
  const problems = await Promise.all(names.map((name) => requirements[name]()));
  const sentences = problems.filter((problem) => problem !== undefined);
  if (sentences.length > 0) throw new SetupError(sentences.join('\n'));
}

/** Throws when the repository's disk has less than `bytes` free. */
export function demandDiskSpace(bytes, purpose) {
  const { bavail, bsize } = fs.statfsSync(root);
  if (bavail * bsize >= bytes) return;
  const free = ((bavail * bsize) / GIGABYTE).toFixed(1);
  throw new SetupError(
    `${purpose} needs ${(bytes / GIGABYTE).toFixed(0)} GB of disk space, and ${root} has ${free} GB left. Free some, or move the checkout to a larger disk.`,
  );
}

/** The first of $CXX, c++, g++ and clang++ that compiles C++20, or undefined. */
export async function findCompiler() {
  const program = '#include <concepts>\nstatic_assert(__cplusplus >= 202002L);\nint main() {}\n';
  for (const compiler of [process.env.CXX, 'c++', 'g++', 'clang++']) {
    if (!compiler) continue;
    const { code } = await run(compiler, ['-std=c++20', '-fsyntax-only', '-x', 'c++', '-'], { input: program });
    if (code === 0) return compiler;
  }
  return undefined;
}

/** Whether an NVIDIA driver is on this machine. */
export function hasNvidiaDriver() {
  const programs = (process.env.PATH ?? '').split(':').map((folder) => `${folder}/nvidia-smi`);
  return ['/proc/driver/nvidia/version', '/usr/lib/wsl/lib/libcuda.so.1', ...programs].some((path) =>
    fs.existsSync(path),
  );
}

function missing(what, debian, fedora, macos) {
  return `${what} is missing. Install it with 'sudo apt install ${debian}' (Debian, Ubuntu), 'sudo dnf install ${fedora}' (Fedora) or '${macos}' (macOS).`;
}
