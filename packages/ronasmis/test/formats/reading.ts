import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/base/errors.ts';
import { readVolume } from '../../src/formats/read-volume.ts';
import { scanFixtures } from './scan-fixtures.ts';

/** The values of a fixture. */
export const expectedValues = (name: string) => scanFixtures.find((fixture) => fixture.name === name)?.values;

/** The sentence that reading a scan ends with. */
export async function refusal(path: string): Promise<string> {
  const error = await readVolume(path).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  const { message } = z.object({ message: z.string() }).parse(error);
  expect(message.startsWith(dirname(path))).toBe(true);
  expect(message).toMatch(/\.$/);
  return message;
}

/** Takes bytes from the end of a file. */
export async function shorten(file: string, bytes: number): Promise<void> {
  await truncate(file, (await stat(file)).size - bytes);
}

/** Replaces bytes of a file by as many others. */
export async function edit(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'latin1');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to), 'latin1');
}
