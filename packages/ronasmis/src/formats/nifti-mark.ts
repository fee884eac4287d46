import { createHash } from 'node:crypto';
import { DESCRIPTION_BYTES, HEADER_LAYOUTS, textOf } from './nifti-layout.ts';
import { statedSizes, type Volume } from './volume.ts';

/** Which work made a file: the keys of a run (`runKey`) and of what was segmented by it (`scanKey`), 16 letters at most. */
export interface Maker {
  readonly run: string;
  readonly scan: string;
}

const NOTHING = new Uint8Array(DESCRIPTION_BYTES);

/**
 * Writes into the description of a NIfTI file which work made it, and a hash of all its other bytes, by which it is known again for as long as
 * nobody changes it. The file carries that itself, so that nothing else has to be kept in step with it.
 * @param content an unpacked file, which is changed
 */
export function markNifti(content: Uint8Array, version: 1 | 2, maker: Maker): void {
  const description = descriptionOf(content, version);
  const mark = Buffer.from(markOf(content, version, maker), 'latin1');
  description.fill(0);
  description.set(mark.subarray(0, DESCRIPTION_BYTES));
}

/** Who made an unpacked file; undefined where that is nobody of ours, or the file was changed since. */
export function makerOf(content: Uint8Array, version: 1 | 2): Maker | undefined {
  const found = textOf(descriptionOf(content, version));
  const [, run = '', scan = ''] = found.split(' ');
  return found === markOf(content, version, { run, scan }) ? { run, scan } : undefined;
}

/** Whether a description is one of ours, be the file changed since or not. */
export const isMark = (description: string): boolean => description.startsWith('RONASMIS ');

function descriptionOf(content: Uint8Array, version: 1 | 2): Uint8Array {
  const { descriptionAt } = HEADER_LAYOUTS[version];
  return content.subarray(descriptionAt, descriptionAt + DESCRIPTION_BYTES);
}

function markOf(content: Uint8Array, version: 1 | 2, { run, scan }: Maker): string {
  const { descriptionAt } = HEADER_LAYOUTS[version];
  const hash = createHash('sha256').update(content.subarray(0, descriptionAt)).update(NOTHING);
  const rest = hash.update(content.subarray(descriptionAt + DESCRIPTION_BYTES)).digest('hex');
  return `RONASMIS ${run} ${scan} ${rest.slice(0, 32)}`;
}

/** What tells a scan apart from others, wherever its file lies. */
export function scanKey(scan: Volume): string {
  const { affine, data } = scan;
  const hash = createHash('sha256').update(JSON.stringify([statedSizes(scan), affine]));
  return hash
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')
    .slice(0, 16);
}
