import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type CompareOptions, foldsOf, plannedRuns, systemOptions } from '../../src/compare/plan.ts';
import { fakeSystem } from './fake-system.ts';

const cases = Array.from({ length: 10 }, (_, i) => ({
  name: `case${i}`,
  images: [`${i}.nii`],
  label: `${i}-label.nii`,
}));
const systems = [fakeSystem('one'), fakeSystem('two')];
const options: CompareOptions = {
  dataSet: 'Boxes',
  out: 'out',
  seeds: 2,
  folds: 2,
  device: 'cpu',
  precision: 'fp32',
};

it('runs every system on every fold with every seed, each round from another one on', () => {
  expect(plannedRuns(options, systems, { cases }).map(({ name }) => name)).toEqual([
    'one-fold0-seed1',
    'two-fold0-seed1',
    'two-fold1-seed1',
    'one-fold1-seed1',
    'one-fold0-seed2',
    'two-fold0-seed2',
    'two-fold1-seed2',
    'one-fold1-seed2',
  ]);
  expect(plannedRuns({ ...options, fold: 1, seeds: 1 }, systems, { cases }).map(({ name }) => name)).toEqual([
    'one-fold1-seed1',
    'two-fold1-seed1',
  ]);
  expect(foldsOf(options)).toEqual([0, 1]);
});

it('tests every case in one fold, and all systems on the same', () => {
  const planned = plannedRuns({ ...options, seeds: 1 }, systems, { cases });
  const testsOf = (system: string) => planned.filter((run) => run.system.name === system).flatMap(({ test }) => test);
  for (const system of ['one', 'two']) {
    const names = testsOf(system).map(({ name }) => name);
    expect(names.toSorted()).toEqual(cases.map(({ name }) => name));
  }
});

it('tells a system of its run what all are told, and nothing of the comparison', () => {
  const [first] = plannedRuns(options, systems, { cases });
  const shared = { dataSet: 'Boxes', folds: 2, device: 'cpu', precision: 'fp32', timeSeconds: 60, from: 'runs/heart' };
  expect(systemOptions({ ...options, timeSeconds: 60, from: 'runs/heart' }, first)).toEqual({
    ...shared,
    out: join('out', 'one-fold0-seed1'),
    fold: 0,
    seed: 1,
  });
});

it('refuses folds that are none, no system, and one twice', () => {
  expect(() => plannedRuns({ ...options, fold: 2 }, systems, { cases })).toThrow('--fold 2: with --folds 2, give');
  expect(() => plannedRuns(options, systems, { cases: cases.slice(0, 2) })).toThrow('too few for 2 folds');
  expect(() => plannedRuns(options, [], { cases })).toThrow('--systems names none: give at least one.');
  expect(() => plannedRuns(options, [...systems, systems[0]], { cases })).toThrow('--systems names one twice');
});
