import { expect, it } from 'vitest';
import { systemCalled, systems, systemsCalled } from '../../src/systems/systems.ts';

it('systems have names of their own, that a folder and a list with commas can have', () => {
  const names = systems.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) {
    expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(systemCalled(name)?.name).toBe(name);
  }
});

it('are found in the order of their names, and one that is none is named with all that there are', () => {
  const [first, second] = systems;
  expect(systemsCalled([second.name, first.name])).toEqual([second, first]);
  const known = systems.map(({ name }) => name).join(', ');
  expect(() => systemsCalled([first.name, 'nonsense'])).toThrow(
    `--systems nonsense: there is no such system. Give some of ${known}, with commas between them.`,
  );
});
