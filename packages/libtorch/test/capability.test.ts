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
