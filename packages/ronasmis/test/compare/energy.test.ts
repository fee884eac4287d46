import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { joulesOf, openPackages } from '../../src/compare/energy.ts';
import { temporaryFolder } from '../formats/scans.ts';

const root = await temporaryFolder();

/** A package's counter and its range, microjoules, as Linux's powercap lays them out. */
async function writeCounter(folder: string, name: string, energy: number): Promise<void> {
  await mkdir(join(root, folder, name), { recursive: true });
  await writeFile(join(root, folder, name, 'energy_uj'), `${energy}\n`);
  await writeFile(join(root, folder, name, 'max_energy_range_uj'), '1000000000\n');
}

describe('the counters of the packages', () => {
  it('are summed up, one that has wrapped too, and parts of a package are left out', async () => {
    await writeCounter('two', 'intel-rapl:0', 5_000_000);
    await writeCounter('two', 'intel-rapl:1', 999_000_000);
    await writeCounter('two', 'intel-rapl:0:0', 0);
    const meter = await openPackages(join(root, 'two'));
    await writeCounter('two', 'intel-rapl:0', 25_000_000);
    await writeCounter('two', 'intel-rapl:1', 3_000_000);
    await writeCounter('two', 'intel-rapl:0:0', 7_000_000);
    expect(await meter.close()).toBeCloseTo(20 + 4, 9);
  });

  it('say nothing where there are none, or where one cannot be read', async () => {
    expect(await (await openPackages(join(root, 'missing'))).close()).toBeNull();
    await writeCounter('unreadable', 'intel-rapl:0', 5);
    await writeFile(join(root, 'unreadable', 'intel-rapl:0', 'energy_uj'), '');
    expect(await (await openPackages(join(root, 'unreadable'))).close()).toBeNull();
  });
});

it('a GPU takes the mean of its watts times the time, but for a line that was cut short', () => {
  expect(joulesOf('100.50\n200.50\n1', 10)).toBeCloseTo(1505, 9);
  expect(joulesOf('[N/A]\n[N/A]\n', 10)).toBeNull();
  expect(joulesOf('', 10)).toBeNull();
});
