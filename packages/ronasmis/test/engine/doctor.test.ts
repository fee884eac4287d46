import { describe, expect, it } from 'vitest';
import { checkEngine } from '../../src/engine/doctor.ts';

const cpu = { name: 'a processor', threads: 2, capability: 'AVX512', bf16: 'amx' as const };
const none = { driver: false, loaded: false, devices: 0, fusedKernels: false };
const engine = { version: '2.15.0', folder: '/opt/libtorch', cuda: none, mps: false, cpu };

describe('checkEngine', () => {
  it('is loud about a GPU that is not used', () => {
    const [finding] = checkEngine({ ...engine, cuda: { ...none, driver: true, reason: 'no libtorch_cuda.so' } });
    expect(finding.message).toMatch(/^THE GPU IS NOT USED .*\(no libtorch_cuda\.so\): run "npm run setup"/);
  });

  it('warns where the GPU has to do without the fused kernels', () => {
    const cuda = { driver: true, loaded: true, devices: 1, fusedKernels: true };
    expect(checkEngine({ ...engine, cuda })).toEqual([]);
    const [finding] = checkEngine({
      ...engine,
      cuda: { ...cuda, fusedKernels: false, fusedKernelsReason: 'no libnvrtc.so.13' },
    });
    expect(finding.severity).toBe('warning');
    expect(finding.message).toMatch(/cannot be compiled for it \(no libnvrtc\.so\.13\)\. Run "npm run setup"/);
  });

  it('warns of a slow processor only where it is the one in use', () => {
    const slow = { ...cpu, bf16: 'none' as const };
    expect(checkEngine({ ...engine, cpu: slow })).toHaveLength(1);
    expect(checkEngine({ ...engine, cpu: slow, mps: true })).toEqual([]);
    expect(checkEngine(engine)).toEqual([]);
  });
});
