import { readFile } from 'node:fs/promises';

/**
 * The text of a file that people edit: UTF-8, or UTF-16 as Windows' editors and shells write it, by its byte order mark or by its first letter, which
 * is taken to be of ASCII. What is none of these is taken for Windows-1252.
 */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file);
  // The mark is FE FF in one order, FF FE in the other; a letter of ASCII has a 0 in front of it or behind it.
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] !== 0 && bytes[1] === 0)) return decode('utf-16le', bytes);
  if ((bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0 && bytes[1] !== 0)) return decode('utf-16be', bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decode('windows-1252', bytes);
  }
}

/** Without the mark. */
const decode = (encoding: string, bytes: Uint8Array): string => new TextDecoder(encoding).decode(bytes);
