import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fromSource } from '../../../test/from-source.ts';
import { describeEngine } from '../src/index.ts';

/** What kernels.mjs prints. */
interface Compared {
  readonly capability: string;
  readonly kernels: readonly {
    readonly name: string;
    readonly dataType: 'float32' | 'bfloat16';
    readonly difference: number;
    readonly bits: string;
  }[];
}

const isX64 = process.arch === 'x64';
const best = describeEngine().cpu.capability;
/** Those that are no better than the machine's own, the best first. */
const known = ['AVX512', 'AVX2', 'DEFAULT'];
const capabilities = isX64 && known.includes(best) ? known.slice(known.indexOf(best)) : [best];

// In processes of their own: libtorch chooses its vector units once.
const compared: readonly Compared[] = capabilities.map((capability) => {
  const script = fileURLToPath(new URL('kernels.mjs', import.meta.url));
  const environment = isX64 ? { ATEN_CPU_CAPABILITY: capability.toLowerCase() } : {};
  return JSON.parse(
    execFileSync(process.execPath, [...fromSource, script], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    }),
  );
});

/** Of the largest value. bfloat16 has 8 bits, the last of which is rounded, and float32 sums are rounded many times. */
const tolerance = { float32: 1e-5, bfloat16: 8e-3 };

describe.each(compared)('with the vector units $capability', ({ capability, kernels }) => {
  it('is what was asked for', () => {
    expect(capabilities).toContain(capability);
    expect(kernels.length).toBeGreaterThan(15);
  });

  it.each(kernels)(
    "$name in $dataType equals libtorch's own operations in float64",
    ({ name, dataType, difference }) => {
      expect(difference).toBeLessThanOrEqual(name.startsWith('argmax') ? 0 : tolerance[dataType]);
    },
  );
});

it.skipIf(capabilities.length < 2)(
  'each kind of vector units runs code of its own: some results differ in their last bits',
  () => {
    const bits = compared.map(({ kernels }) => kernels.map((kernel) => kernel.bits).join());
    expect(new Set(bits).size).toBe(capabilities.length);
    expect(compared.map(({ capability }) => capability)).toEqual(capabilities);
  },
);

/** What GCC calls the constructors of a file's constants, which run when the addon is loaded. */
const constructors = '_GLOBAL__sub_I_';
/** Instructions on vectors that not every x64 processor has. */
const wideVectors = /%[yz]mm/;

const addon = fileURLToPath(new URL('../build/ronasmis_libtorch.node', import.meta.url));

/** Functions of the addon that use wider vectors than every x64 processor has. */
function functionsWithWideVectors(): readonly string[] {
  const listing = execFileSync('objdump', ['-d', '--no-show-raw-insn', addon], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  return listing
    .split('\n\n')
    .filter((code) => wideVectors.test(code))
    .flatMap((code) => /<(.+)>:/.exec(code)?.[1] ?? []);
}

describe.skipIf(!isX64 || process.platform !== 'linux')('on a processor without AVX', () => {
  const wide = functionsWithWideVectors();

  it('loads: no constant of the addon is made with instructions that it lacks', () => {
    expect(wide.length).toBeGreaterThan(15);
    expect(wide.filter((name) => name.startsWith(constructors))).toEqual([]);
  });

  it('runs code of its own: the files compiled for other vector units share no function with the others', () => {
    // Of a function that several files have, the linker keeps one.
    const shared = execFileSync('nm', [addon], { encoding: 'utf8', maxBuffer: 2 ** 28 })
      .split('\n')
      .flatMap((line) => /^[0-9a-f]+ [WVu] (.+)$/.exec(line)?.[1] ?? []);
    expect(shared.length).toBeGreaterThan(0);
    const wideNames = new Set(wide);
    expect(shared.filter((name) => wideNames.has(name))).toEqual([]);
  });
});

describe.skipIf(!isX64)('of the kinds that were compiled', () => {
  /** What an addon with these kinds takes on a processor with that capability. */
  function taken(compiled: readonly string[], capability: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'capability-'));
    mkdirSync(join(folder, 'ATen'));
    const stub = '#pragma once\n#include <string>\nnamespace at { std::string get_cpu_capability(); }\n';
    writeFileSync(join(folder, 'ATen/Version.h'), stub);
    const kinds = ['default', ...compiled.map((kind) => kind.toLowerCase())];
    const program = `#include "capability.h"
      #include <cstdio>
      std::string at::get_cpu_capability() { return "${capability}"; }
      using Loops = const char*;
      RONASMIS_DECLARE_LOOPS(Loops, loops)
      ${kinds.map((kind) => `const Loops& loops_${kind}() { static const Loops name = "${kind}"; return name; }`).join('\n')}
      int main() { std::puts(RONASMIS_BEST_LOOPS(loops)); }`;
    const kernels = fileURLToPath(new URL('../native/kernels', import.meta.url));
    const defined = compiled.map((kind) => `-DRONASMIS_${kind}`);
    const options = [
      '-std=c++20',
      '-x',
      'c++',
      '-',
      '-I',
      kernels,
      '-I',
      folder,
      ...defined,
      '-o',
      join(folder, 'program'),
    ];
    try {
      execFileSync(process.env.CXX ?? 'c++', options, { input: program, stdio: ['pipe', 'ignore', 'inherit'] });
      return execFileSync(join(folder, 'program'), { encoding: 'utf8' }).trim();
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it.each([
    [[], 'AVX512', 'default'],
    [['AVX2'], 'AVX512', 'avx2'],
    [['AVX2'], 'AVX2', 'avx2'],
    [['AVX2', 'AVX512'], 'AVX512', 'avx512'],
    [['AVX2', 'AVX512'], 'AVX2', 'avx2'],
    [['AVX2', 'AVX512'], 'DEFAULT', 'default'],
  ])('%j, the best is taken that a processor with %s has: %s', (compiled, capability, best) => {
    expect(taken(compiled, capability)).toBe(best);
  });
});
