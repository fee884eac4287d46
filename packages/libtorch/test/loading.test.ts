import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { fromSource } from '../../../test/from-source.ts';
import { addonFile, LoadError, prepareThreads } from '../src/loading.ts';
import { availableProcessors } from '../src/machine.ts';

const index = new URL('../src/index.ts', import.meta.url).href;
const loading = new URL('../src/loading.ts', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'loading-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** What a program prints, in a process of its own: libtorch is loaded once. */
function run(program: string, env: NodeJS.ProcessEnv = {}): { code: number | null; out: string } {
  const args = [...fromSource, '--input-type=module', '-e', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout + stderr };
}

const printsVersion = `import { describeEngine } from '${index}'; console.log(describeEngine().version);`;

describe.runIf(process.platform === 'linux')('libraries of another libtorch', () => {
  it.each(['libc10.so', 'libtorch_cpu.so', 'libgomp.so.1'])('in LD_LIBRARY_PATH are passed over: %s', (name) => {
    writeFileSync(join(folder, name), 'no library at all');
    expect(run(printsVersion, { LD_LIBRARY_PATH: folder })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^2\./),
    });
  });

  it('in LD_PRELOAD, which nothing can pass over, are an error that names it', () => {
    const library = join(folder, 'other', 'libc10.so');
    execFileSync('mkdir', [join(folder, 'other')]);
    const options = ['-shared', '-fPIC', '-x', 'c++', '-', '-Wl,-soname,libc10.so', '-o', library];
    execFileSync(process.env.CXX ?? 'c++', options, { input: 'int other;', stdio: ['pipe', 'ignore', 'inherit'] });
    const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const file = Buffer.concat([Buffer.alloc(8), Buffer.from(header), Buffer.alloc(4)]);
    file.writeUInt8(header.length);
    writeFileSync(join(folder, 'a.safetensors'), file);
    const program = `import { describeEngine, readSafetensors } from '${index}';
      for (const first of [describeEngine, () => readSafetensors('${folder}/a.safetensors')])
        await (async () => first())().catch(({ code, message }) => console.log(code, message));`;
    const { out } = run(program, { LD_PRELOAD: library });
    expect(out.match(/^LIBTORCH_NOT_LOADED/gm)).toHaveLength(2);
    expect(out).toMatch(/^LIBTORCH_NOT_LOADED The native addon .* could not be loaded: .*undefined symbol/);
    expect(out).toContain(`LD_PRELOAD is set (${library}), which can bring in libraries that do not fit: unset it.`);
  });
});

describe('LoadError', () => {
  it('says what to do where no variable of the loader is set', () => {
    for (const name of ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES', 'DYLD_LIBRARY_PATH'])
      vi.stubEnv(name, undefined);
    expect(new LoadError(new Error('no such file')).message).toBe(
      `The native addon ${addonFile} could not be loaded: no such file. Run 'npm run setup' to build it.`,
    );
  });

  it.each([
    'libtorch_cpu.so: failed to map segment from shared object',
    'libtorch_cpu.so: cannot create shared object descriptor: Cannot allocate memory',
  ])('names the limit where memory does not suffice: %s', (reason) => {
    vi.stubEnv('LD_LIBRARY_PATH', '/elsewhere');
    expect(new LoadError(new Error(reason)).message).toBe(
      `The native addon ${addonFile} could not be loaded: ${reason}. Memory does not suffice for it: raise the limit (ulimit -v, or that of the container or the job).`,
    );
  });
});

describe('prepareThreads', () => {
  const variables = ['GOMP_SPINCOUNT', 'OMP_WAIT_POLICY', 'KMP_BLOCKTIME', 'OMP_NUM_THREADS'];

  it('lets waiting threads sleep, and has as many as a quota allows', () => {
    for (const name of variables) vi.stubEnv(name, undefined);
    prepareThreads();
    expect(process.env).toMatchObject({ GOMP_SPINCOUNT: '1000', KMP_BLOCKTIME: '0' });
    const fewer = availableProcessors() < availableParallelism();
    expect(process.env.OMP_NUM_THREADS).toBe(fewer ? String(availableProcessors()) : undefined);
  });

  it.each(['OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME'])('leaves what the user has set: %s', (name) => {
    for (const one of variables) vi.stubEnv(one, undefined);
    vi.stubEnv(name, '77');
    vi.stubEnv('OMP_NUM_THREADS', '3');
    prepareThreads();
    expect(variables.filter((one) => process.env[one] !== undefined)).toEqual(
      [name, 'OMP_NUM_THREADS'].toSorted((a, b) => variables.indexOf(a) - variables.indexOf(b)),
    );
    expect(process.env.OMP_NUM_THREADS).toBe('3');
  });

  it.runIf(process.platform === 'linux')('reaches OpenMP before libtorch is loaded', () => {
    const { out } = run(printsVersion, {
      OMP_DISPLAY_ENV: 'verbose',
      GOMP_SPINCOUNT: undefined,
      OMP_WAIT_POLICY: undefined,
      KMP_BLOCKTIME: undefined,
    });
    expect(out).toMatch(/GOMP_SPINCOUNT = '1000'/);
  });
});

describe('preload', () => {
  it('loads the same addon ahead, once', () => {
    const program = `import { preload } from '${loading}';
      preload();
      const { describeEngine, tensor, add, scope } = await import('${index}');
      const three = () => scope(() => add(tensor(new Float32Array([1]), [1]), tensor(new Float32Array([2]), [1])).item());
      const before = three();
      await new Promise((resolve) => setTimeout(resolve, 500)); // the thread that has loaded it has ended
      console.log(before, three());`;
    expect(run(program)).toEqual({ code: 0, out: '3 3\n' });
  });
});

describe('the end of a process', () => {
  it('keeps its exit code and all that it has written', () => {
    const program = `import { describeEngine } from '${index}';
      describeEngine();
      process.stdout.write('x'.repeat(1e6));
      process.exitCode = 3;`;
    expect(run(program)).toEqual({ code: 3, out: 'x'.repeat(1e6) });
  });
});
