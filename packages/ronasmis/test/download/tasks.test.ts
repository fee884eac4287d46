import { expect, it } from 'vitest';
import { decathlonTasks } from '../../src/download/tasks.ts';

it('the tasks of the Decathlon are ten, each with a checksum of its own', () => {
  expect(decathlonTasks).toHaveLength(10);
  expect(new Set(decathlonTasks.map(({ md5 }) => md5)).size).toBe(10);
  decathlonTasks.forEach(({ name, md5 }, i) => {
    expect(name).toMatch(new RegExp(`^Task${String(i + 1).padStart(2, '0')}_[A-Z][A-Za-z]+$`));
    expect(md5).toMatch(/^[0-9a-f]{32}$/);
  });
});
