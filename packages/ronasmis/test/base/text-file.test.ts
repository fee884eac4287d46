import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readText } from '../../src/base/text-file.ts';
import { temporaryFolder } from '../formats/scans.ts';

const file = join(await temporaryFolder(), 'text');
const text = '{"name": "Größe"}';
const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16();

test.each<[string, Buffer]>([
  ['UTF-8', Buffer.from(text)],
  ['UTF-8 with a mark', Buffer.from(`\uFEFF${text}`)],
  ['UTF-16, little-endian, with a mark', Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16, little-endian', Buffer.from(text, 'utf16le')],
  ['UTF-16, big-endian, with a mark', swapped(Buffer.from(`\uFEFF${text}`, 'utf16le'))],
  ['UTF-16, big-endian', swapped(Buffer.from(text, 'utf16le'))],
  ['Latin-1', Buffer.from(text, 'latin1')],
])('a text in %s is read', async (_, bytes) => {
  await writeFile(file, bytes);
  expect(await readText(file)).toBe(text);
});

test('and an empty one', async () => {
  await writeFile(file, '');
  expect(await readText(file)).toBe('');
});
