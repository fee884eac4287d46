import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isThere } from '../base/files.ts';
import { caseName, caseNames } from '../formats/case-names.ts';
import type { Case } from './case.ts';
import { groupChannels, isChannelFile, withoutChannel } from './channels.ts';
import type { ListedCase } from './description.ts';

/**
 * Finds the files of listed cases, however their paths are written: with backslashes, or with accents composed where the disk has them apart. For a
 * listed `CASE.nii.gz` that is not there, the channel files `CASE_0000.nii.gz` and so on are taken, as nnU-Net v1 lists them.
 * @param channels of every scan
 * @throws UserError where a channel file is missing or too many; other missing files are reported later
 */
export async function findListed(
  folder: string,
  listed: readonly ListedCase[],
  channels: number,
): Promise<{ readonly cases: readonly Case[]; readonly channelFiles: boolean; readonly warnings: readonly [] }> {
  const files = filesOnDisk(folder);
  const firsts = listed.map(({ images: [first] }) => resolve(folder, withSlashes(first)));
  const names = caseNames(firsts.map((first, i) => (listed[i].images.length > 1 ? withoutChannel(first) : first)));
  const entries: (Case & { readonly ofChannels: boolean })[] = [];
  for (const [i, { name = names[i], images, label }] of listed.entries()) {
    const found = await Promise.all(images.map(files.find));
    const channelFiles = found.length === 1 && found[0] === undefined ? await files.channelsOf(images[0]) : [];
    const paths = images.map((image, at) => found[at] ?? resolve(folder, withSlashes(image)));
    entries.push({
      name: name.normalize(),
      images: channelFiles.length > 0 ? channelFiles : paths,
      label: (await files.find(label)) ?? resolve(folder, withSlashes(label)),
      ofChannels: channelFiles.length > 0,
    });
  }
  // All at once, so that all of what is missing is said.
  groupChannels(
    entries.flatMap(({ ofChannels, images }) => (ofChannels ? images : [])),
    channels,
  );
  const cases = entries.map(({ ofChannels: _, ...one }) => one);
  // Several files, whatever they are called here, can only be told apart by their numbers when scans are segmented.
  const isOfChannels = ({ name, images: [first, ...others] }: Case): boolean =>
    others.length > 0 || (isChannelFile(first) && caseName(first) !== name);
  return { cases, channelFiles: cases.every(isOfChannels), warnings: [] };
}

const withSlashes = (path: string): string => path.replaceAll('\\', '/');

/** Looks listed paths up in a folder, whose folders are read once. */
function filesOnDisk(folder: string) {
  const read = new Map<string, Promise<readonly string[]>>();
  const entriesOf = (path: string): Promise<readonly string[]> => {
    const entries = read.get(path) ?? readdir(path).catch(() => []);
    read.set(path, entries);
    return entries;
  };
  /** Where a listed path leads to; undefined where nothing is there. */
  async function find(listed: string): Promise<string | undefined> {
    const asWritten = resolve(folder, listed);
    if (await isThere(asWritten)) return asWritten;
    return walk(resolve(folder, withSlashes(listed)));
  }
  /** The same path as the disk writes it, each part by its composed letters. */
  async function walk(path: string): Promise<string | undefined> {
    if (await isThere(path)) return path;
    const above = dirname(path);
    const found = above === path ? undefined : await walk(above);
    if (found === undefined) return undefined;
    const name = path
      .slice(above.length)
      .replace(/^[\\/]/, '')
      .normalize();
    const entry = (await entriesOf(found)).find((one) => one.normalize() === name);
    return entry === undefined ? undefined : join(found, entry);
  }
  async function channelsOf(listed: string): Promise<readonly string[]> {
    const path = resolve(folder, withSlashes(listed));
    const above = await walk(dirname(path));
    if (above === undefined) return [];
    const files = (await entriesOf(above)).filter((file) => !file.startsWith('.') && isChannelFile(file)).sort();
    return files.filter((file) => caseName(withoutChannel(file)) === caseName(path)).map((file) => join(above, file));
  }
  return { find, channelsOf };
}
