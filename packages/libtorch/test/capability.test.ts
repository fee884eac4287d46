import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
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
    execFileSync(process.execPath, [script], { encoding: 'utf8', env: { ...process.env, ...environment } }),
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
