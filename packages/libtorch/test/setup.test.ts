import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
let root: string;

/** A checkout with set-up's scripts and its npm packages in place, but with neither libtorch nor anything built. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'setup-'));
  cpSync(join(repository, 'scripts'), join(root, 'scripts'), { recursive: true });
  put('package-lock.json', '{}');
  put('node_modules/.package-lock.json', '{}');
});

afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string, mode = 0o644): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** A program on the checkout's own PATH, which holds nothing else. */
function putProgram(name: string, shell: string): void {
  put(`bin/${name}`, `#!/bin/sh\n${shell}\n`, 0o755);
}

/** A folder that looks like libtorch of that version. */
function putLibtorch(path: string, version: string): string {
  const [major, minor, patch] = version.split('.');
  const header = `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`;
  put(`${path}/include/torch/headeronly/version.h`, header);
  for (const library of ['torch_cpu', 'torch_cuda']) put(`${path}/lib/lib${library}.so`, '');
  return join(root, path);
}

function setUp(environment: Record<string, string> = {}): { code: number | null; says: string } {
  const env = { PATH: join(root, 'bin'), HOME: root, ...environment };
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, env, encoding: 'utf8' });
  return { code: status, says: stderr };
}

describe('RONASMIS_LIBTORCH', () => {
  test('that names no libtorch is refused with the folder and the fix', () => {
    const { code, says } = setUp({ RONASMIS_LIBTORCH: join(root, 'nowhere') });
    expect(code).toBe(2);
    expect(says).toContain(join(root, 'nowhere'));
    expect(says).toContain('Name an unpacked libtorch or the folder site-packages/torch');
    expect(says).not.toContain('    at ');
  });

  test.each([
    ['2.9.1', 'about 4 times slower'],
    ['2.8.0', 'older than what this was tested with'],
  ])('that names version %s is refused: %s', (version, reason) => {
    const { code, says } = setUp({ RONASMIS_LIBTORCH: putLibtorch('old', version) });
    expect(code).toBe(2);
    expect(says).toContain(reason);
    expect(says).toContain('2.10 or newer');
  });

  test('is taken relative to the folder the user typed in', () => {
    putLibtorch('here/libtorch', '2.9.0');
    expect(setUp({ RONASMIS_LIBTORCH: 'libtorch', INIT_CWD: join(root, 'here') }).says).toContain('PyTorch 2.9.0');
  });
});

describe('what is missing on the machine', () => {
  test('a compiler and CMake are asked for in one go, for three systems', () => {
    const { code, says } = setUp({ RONASMIS_LIBTORCH: putLibtorch('libtorch', '2.10.0') });
    expect(code).toBe(2);
    for (const advice of [
      'apt install g++',
      'dnf install gcc-c++',
      'xcode-select',
      'apt install cmake',
      'brew install cmake',
    ])
      expect(says).toContain(advice);
    expect(says).not.toContain('pip');
  });

  test('a CMake that is too old counts as missing', () => {
    putProgram('c++', 'exit 0');
    putProgram('cmake', 'echo cmake version 3.19.8');
    const { code, says } = setUp({ RONASMIS_LIBTORCH: putLibtorch('libtorch', '2.10.0') });
    expect(code).toBe(2);
    expect(says).toContain('CMake 3.20 or newer');
    expect(says).not.toContain('C++ compiler');
  });

  test('pip is asked for only when libtorch has to be fetched', () => {
    const { code, says } = setUp();
    expect(code).toBe(2);
    expect(says).toContain('apt install python3 python3-pip');
  });
});

describe("the machine's own PyTorch", () => {
  test('2.9 is refused with its reason, and pip asked for instead', () => {
    putProgram('python3', `[ "$1" = -c ] && echo TORCH ${putLibtorch('site/torch', '2.9.1')}`);
    const { code, says } = setUp();
    expect(code).toBe(2);
    expect(says).toContain('The PyTorch of python3 is not used: PyTorch 2.9.1 runs 3D convolutions under autocast');
    expect(says).toContain('Python 3 with pip');
  });

  test('one that does not import is passed over with what Python said', () => {
    putProgram('python3', '[ "$1" = -c ] && echo "ImportError: libcudart.so.13: cannot open" >&2\nexit 1');
    expect(setUp().says).toContain('does not import (ImportError: libcudart.so.13: cannot open)');
  });

  test('2.10 is taken, built for, remembered, and not asked for again', () => {
    const folder = putLibtorch('site/torch', '2.10.0');
    putProgram('python3', `/bin/echo asked >> ${join(root, 'asked')}\necho TORCH ${folder}`);
    putProgram('c++', 'exit 0');
    // Configuring and building become one program that leaves the addon's file behind.
    putProgram(
      'cmake',
      `[ "$1" = --version ] && echo cmake version 3.25.1 || : > ${join(root, 'packages/libtorch/build/ronasmis_libtorch.node')}`,
    );
    put('node_modules/typescript/bin/tsc', "console.log('compiled')");
    put('node_modules/vite/bin/vite.js', '');
    for (const name of ['libtorch/dist', 'ronasmis/dist', 'dashboard/dist/server'])
      put(`packages/${name}/index.js`, '');
    for (const page of ['page', 'report', 'segmenter']) put(`packages/dashboard/dist/${page}/index.html`, '');

    const first = setUp();
    expect(first).toMatchObject({ code: 0 });
    expect(first.says).toContain(`Using libtorch 2.10.0 in ${folder}`);
    const choice: unknown = JSON.parse(readFileSync(join(root, 'packages/libtorch/build/libtorch.json'), 'utf8'));
    expect(choice).toEqual({ folder, version: '2.10.0', origin: 'python', cuda: true });

    expect(setUp()).toEqual({ code: 0, says: '' });
    expect(readFileSync(join(root, 'asked'), 'utf8')).toBe('asked\n');

    put('packages/libtorch/native/new.cc', '');
    expect(setUp().says).toContain('Compiling the native addon');
    putLibtorch('site/torch', '2.11.0');
    expect(setUp().says).toContain('Using libtorch 2.11.0');
  });
});

describe('the compiled addon', () => {
  const addon = 'packages/libtorch/build/ronasmis_libtorch.node';

  /** A compiler that knows these macros of the processor, and a CMake that notes how it is called and leaves an addon behind. */
  function putCompiler(macros: readonly string[], version = '12.2'): void {
    const define = macros.map((macro) => `echo "#define __${macro}__ 1"`).join('\n');
    putProgram('c++', `case "$*" in --version) echo g++ ${version};; *-march=native*) true\n${define};; esac\nexit 0`);
    const asked = join(root, 'asked');
    putProgram(
      'cmake',
      `[ "$1" = --version ] && echo cmake version 3.25.1 && exit\necho "$@" >> ${asked}\n[ "$1" != --build ] || echo compiled > ${join(root, addon)}`,
    );
    put('node_modules/typescript/bin/tsc', '');
    put('node_modules/vite/bin/vite.js', '');
    for (const name of ['libtorch/dist', 'ronasmis/dist', 'dashboard/dist/server'])
      put(`packages/${name}/index.js`, '');
    for (const page of ['page', 'report', 'segmenter']) put(`packages/dashboard/dist/${page}/index.html`, '');
    put('packages/libtorch/native/engine.cc', 'source');
  }

  const asked = (): string => (existsSync(join(root, 'asked')) ? readFileSync(join(root, 'asked'), 'utf8') : '');
  /** As if this were another clone: nothing is built, but the user's cache folder is the same. */
  function cloneAgain(): void {
    for (const path of ['packages/libtorch/build', 'asked']) rmSync(join(root, path), { recursive: true, force: true });
  }

  test.runIf(process.arch === 'x64').each([
    [[], 'default'],
    [['AVX2', 'FMA', 'F16C'], 'default;avx2'],
    [['AVX2', 'FMA', 'F16C', 'AVX512F', 'AVX512BW', 'AVX512VL', 'AVX512DQ'], 'default;avx2;avx512'],
    [['AVX2', 'FMA', 'F16C', 'AVX512F'], 'default;avx2'],
  ])('has loops for the vector units of the processor alone: %j', (macros, units) => {
    putCompiler(macros);
    expect(setUp({ RONASMIS_LIBTORCH: putLibtorch('libtorch', '2.10.0') }).code).toBe(0);
    expect(asked()).toContain(`-DVECTOR_UNITS=${units}\n`);
  });

  test('is compiled once for all clones, and again for other sources, another compiler or another libtorch', () => {
    putCompiler([]);
    const env = { RONASMIS_LIBTORCH: putLibtorch('libtorch', '2.10.0'), XDG_CACHE_HOME: join(root, 'cache') };
    expect(setUp(env)).toMatchObject({ code: 0, says: expect.not.stringContaining('compiled before') });
    cloneAgain();
    expect(setUp(env)).toMatchObject({ code: 0, says: expect.stringContaining('compiled before') });
    expect(asked()).toBe('');
    expect(readFileSync(join(root, addon), 'utf8')).toBe('compiled\n');
    expect(setUp(env)).toEqual({ code: 0, says: '' });

    const changes = [
      () => put('packages/libtorch/native/engine.cc', 'another source'),
      () => putCompiler([], '13.1'),
      () => putLibtorch('libtorch', '2.11.0'),
      () => put('libtorch/lib/libtorch_cpu.so', 'another build of it'),
    ];
    for (const change of changes) {
      cloneAgain();
      change();
      expect(setUp(env)).toMatchObject({ code: 0, says: expect.not.stringContaining('compiled before') });
      expect(asked()).toContain('--build');
    }
  });

  test('looks for a libtorch of the checkout beside itself, so that a moved one finds it', () => {
    putCompiler([]);
    const origin = process.platform === 'darwin' ? '@loader_path' : '$ORIGIN';
    setUp({ RONASMIS_LIBTORCH: putLibtorch('.libtorch/torch', '2.10.0') });
    expect(asked()).toContain(`-DLIBTORCH_RPATH=${origin}/../../../.libtorch/torch/lib `);
  });

  test('is compiled where the cache folder cannot be used', () => {
    putCompiler([]);
    const libtorch = putLibtorch('libtorch', '2.10.0');
    for (const folders of [{ HOME: '/dev/null' }, { HOME: 'relative' }, { XDG_CACHE_HOME: '/dev/null/below' }]) {
      cloneAgain();
      expect(setUp({ RONASMIS_LIBTORCH: libtorch, ...folders })).toMatchObject({ code: 0 });
      expect(asked()).toContain('--build');
    }
    expect(existsSync(join(root, 'relative'))).toBe(false);
  });
});

describe.runIf(process.platform === 'linux')('fetching libtorch', () => {
  beforeEach(() => {
    putProgram('python3', `exec ${process.execPath} ${join(repository, 'packages/libtorch/test/fake-pip.mjs')} "$@"`);
    putProgram('c++', 'exit 0');
    putProgram('cmake', '[ "$1" = --version ] && echo cmake version 3.25.1');
    put('node_modules/typescript/bin/tsc', '');
    put('node_modules/vite/bin/vite.js', '');
  });

  test('with an NVIDIA driver takes the CUDA packages that the metadata asks for, and no others', () => {
    putProgram('nvidia-smi', 'exit 0');
    expect(setUp().says).toContain('Using libtorch 2.15.0');
    expect(readFileSync(join(root, 'asked'), 'utf8').split('\n')).toEqual([
      'torch==2.15.0',
      'cuda-toolkit==13.2.2',
      'nvidia-nccl-cu13==2.30.7 nvidia-cublas==13.4.* nvidia-nvjitlink<14,>=13.2 nvidia-cuda-runtime==13.2.* nvidia-cuda-nvrtc==13.2.86.*',
      '',
    ]);
    const kept = join(root, '.libtorch/torch-2.15.0-cuda');
    expect(readdirSync(join(root, '.libtorch'))).toEqual(['torch-2.15.0-cuda']);
    expect(readdirSync(join(kept, 'torch/lib'))).toEqual(['libtorch_cpu.so', 'libtorch_cuda.so']);
    expect(readdirSync(join(kept, 'nvidia/cu13/lib'))).toEqual(['libcudart.so.13']);
  });

  test.skipIf(existsSync('/proc/driver/nvidia/version'))(
    'without one takes three packages and keeps no CUDA library',
    () => {
      expect(setUp().says).toContain('Using libtorch 2.15.0');
      const asked = 'torch==2.15.0\nnvidia-cuda-runtime==13.2.* nvidia-cuda-cupti==13.2.*\n';
      expect(readFileSync(join(root, 'asked'), 'utf8')).toBe(asked);
      expect(readdirSync(join(root, '.libtorch/torch-2.15.0/torch/lib'))).toEqual(['libtorch_cpu.so']);
    },
  );
});
