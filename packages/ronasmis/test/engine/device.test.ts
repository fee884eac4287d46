import { type DataType, describeEngine, type EngineDescription, zeros } from '@ronasmis/libtorch';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.ts';
import { chooseDevice, dataTypeOf } from '../../src/engine/device.ts';

/** This machine's engine, with other devices. */
function engineWith(gpu: Partial<EngineDescription['cuda']>, mps = false): EngineDescription {
  const none = { driver: false, loaded: false, devices: 0, fusedKernels: false };
  return { ...describeEngine(), cuda: { ...none, ...gpu }, mps };
}

const gpu = { driver: true, loaded: true, devices: 1 };

describe('chooseDevice', () => {
  it('takes the fastest that is there', () => {
    expect(chooseDevice('auto', engineWith({}))).toBe('cpu');
    expect(chooseDevice('auto', engineWith({}, true))).toBe('mps');
    expect(chooseDevice('auto', engineWith(gpu))).toBe('cuda');
    expect(chooseDevice('auto', engineWith(gpu, true))).toBe('cuda');
    // A driver alone computes nothing.
    expect(chooseDevice('auto', engineWith({ driver: true }))).toBe('cpu');
  });

  it('takes what is asked for where it is there', () => {
    const both = engineWith(gpu, true);
    for (const device of ['cpu', 'cuda', 'mps'] as const) expect(chooseDevice(device, both)).toBe(device);
  });

  it('refuses what is not there, and says why', () => {
    const refused = () => chooseDevice('cuda', engineWith({ driver: true, reason: 'this libtorch is for CPUs' }, true));
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(/^--device cuda: this machine offers no such device \(this libtorch is for CPUs\)\. Run/);
    expect(() => chooseDevice('cuda', engineWith({}))).toThrow(/^--device cuda: .* no such device\. Run/);
    expect(() => chooseDevice('mps', engineWith(gpu))).toThrow(/^--device mps: .* no such device\. Run/);
  });
});

it('the precisions are data types of libtorch, of 4, 2 and 2 bytes', () => {
  const width = (dataType: DataType): number => zeros([1], { dataType }).byteLength;
  expect(Object.values(dataTypeOf).map(width)).toEqual([4, 2, 2]);
});
