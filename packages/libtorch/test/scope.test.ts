import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { fromSource } from '../../../test/from-source.ts';
import { add, keep, memory, ones, scope, type Tensor } from '../src/index.ts';

const small = (): Tensor => ones([2]);

describe('scope', () => {
  test('frees what was made in it and keeps what it returns, at any depth', () => {
    const before = memory().tensors;
    const loose: Tensor[] = [];
    const result = scope(() => {
      loose.push(small(), small());
      return {
        one: small(),
        list: [small(), { deep: small() }],
        map: new Map([['a', small()]]),
        text: 'x',
        none: null,
      };
    });
    const kept = [result.one, ...result.list.map((item) => ('deep' in item ? item.deep : item)), result.map.get('a')];
    expect(kept.map((item) => item?.freed)).toEqual([false, false, false, false]);
    expect(loose.map((item) => item.freed)).toEqual([true, true]);
    expect(memory().tensors).toBe(before + 4);
    for (const item of kept) item?.free();
    expect(memory().tensors).toBe(before);
  });

  test('what an inner scope returns belongs to the outer one', () => {
    let inner: Tensor | undefined;
    scope(() => {
      inner = scope(small);
      expect(inner.freed).toBe(false);
    });
    expect(inner?.freed).toBe(true);
  });

  test('what was made outside stays, returned or not', () => {
    const outside = small();
    expect(scope(() => outside)).toBe(outside);
    scope(() => add(outside, outside));
    expect(outside.toNumbers()).toEqual([1, 1]);
  });

  test('frees when its body throws, and lets the error through', () => {
    const before = memory().tensors;
    const fail = () => {
      small();
      throw new RangeError('as planned');
    };
    expect(() => scope(fail)).toThrow(RangeError);
    expect(memory().tensors).toBe(before);
  });

  test('a Promise is an error, and its failure later is not one more', async () => {
    const before = memory().tensors;
    const late = async () => {
      const made = small();
      await null;
      return made.toNumbers();
    };
    expect(() => scope(late)).toThrow('cannot return a Promise');
    expect(() => scope(() => ({ later: late() }))).toThrow('cannot return a Promise');
    await new Promise(setImmediate);
    expect(memory().tensors).toBe(before);
  });

  test('a tensor that was freed inside is not freed twice', () => {
    const before = memory().tensors;
    scope(() => small().free());
    expect(scope(() => scope(() => [small()])).map((item) => item.free())).toHaveLength(1);
    expect(memory().tensors).toBe(before);
  });

  test('thousands of steps leave the count of tensors as it was', () => {
    const weight = small();
    weight.requiresGradient = true;
    const before = memory();
    for (let step = 0; step < 5000; step += 1) {
      scope(() => {
        const loss = scope(() => add(add(weight, weight), small()));
        expect(loss.freed).toBe(false);
      });
    }
    expect(memory()).toEqual(before);
    weight.free();
  });
});

test('keep lets tensors outlive every open scope', () => {
  let loose: Tensor | undefined;
  let kept: Tensor | undefined;
  scope(() => {
    kept = keep(() => {
      loose = small();
      return add(loose, loose);
    });
  });
  expect(loose?.freed).toBe(true);
  expect(kept?.toNumbers()).toEqual([2, 2]);
  kept?.free();
});

describe('use after free', () => {
  test('is an error, also for what the same slot holds next', () => {
    const first = small();
    const handle = first.handle;
    first.free();
    const second = small();
    expect(second.handle).not.toBe(handle);
    expect(first.freed).toBe(true);
    expect(() => first.shape).toThrow('was freed');
    expect(() => add(first, second)).toThrow('was freed');
    expect(() => first.free()).toThrow('was freed');
    expect(second.toNumbers()).toEqual([1, 1]);
    second.free();
  });

  test('a slot that was used many times still tells its tensors apart', () => {
    const handles = new Set<number>();
    for (let i = 0; i < 1000; i += 1) {
      const made = small();
      handles.add(made.handle);
      made.free();
    }
    expect(handles.size).toBe(1000);
  });
});

/** What a script prints as JSON, run in a process of its own with the garbage collector at hand. */
function inProcess(script: string): unknown {
  const source = new URL('../src/', import.meta.url).href;
  const text = `import * as torch from '${source}index.ts'; import { native } from '${source}native.ts';${script}`;
  const args = [...fromSource, '--expose-gc', '--input-type=module', '-e', text];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

describe('garbage collection is the backstop', () => {
  test('it is told real sizes and frees what nobody holds', () => {
    // What loading the modules left is collected first, until nothing more goes: only the tensor's bytes are to be seen.
    const script = `
      let before = Number.NaN;
      for (let calm = 0; calm < 5; calm = native.adjustExternalMemory(0) === before ? calm + 1 : 0) {
        before = native.adjustExternalMemory(0);
        global.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      let held = torch.zeros([1000, 1000]);
      const reported = native.adjustExternalMemory(0) - before;
      held = undefined;
      for (let i = 0; i < 50 && torch.memory().tensors > 0; i += 1) {
        global.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      console.log(JSON.stringify({ reported, left: torch.memory(), external: native.adjustExternalMemory(0) - before }));`;
    expect(inProcess(script)).toEqual({ reported: 4_000_000, left: { tensors: 0, bytes: 0 }, external: 0 });
  });

  test('it keeps up with careless code', () => {
    // 400 tensors of 4 MB: 1.6 GB if none were freed.
    const script = `
      for (let i = 0; i < 400; i += 1) {
        torch.ones([1000, 1000]);
        if (i % 20 === 0) await new Promise(setImmediate);
      }
      console.log(JSON.stringify(process.resourceUsage().maxRSS / 1024));`;
    expect(inProcess(script)).toBeLessThan(1000);
  });
});
