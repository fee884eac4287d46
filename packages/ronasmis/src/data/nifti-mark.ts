import { createHash } from 'node:crypto';
import { HEADER_LAYOUTS } from './nifti-layout.ts';

/** Bytes of a header's description (`descrip`). */
const DESCRIPTION_BYTES = 80;
const NOTHING = new Uint8Array(DESCRIPTION_BYTES);

/**
 * Writes into the description of a NIfTI file which work made it, and a hash of all its other bytes, by which it is known again for as long as
 * nobody changes it. The file carries that itself, so that nothing else has to be kept in step with it.
 * @param content an unpacked file, which is changed
 */
export function markNifti(content: Uint8Array, version: 1 | 2, maker: string): void {
  const description = descriptionOf(content, version);
  const mark = Buffer.from(markOf(content, version, maker), 'latin1');
  description.fill(0);
  description.set(mark.subarray(0, DESCRIPTION_BYTES));
}

/** Whether an unpacked file is as this maker's work has left it. */
export function isMarkedNifti(content: Uint8Array, version: 1 | 2, maker: string): boolean {
  const found = Buffer.from(descriptionOf(content, version)).toString('latin1').replace(/\0+$/, '');
  return found === markOf(content, version, maker);
}

function descriptionOf(content: Uint8Array, version: 1 | 2): Uint8Array {
  const { descriptionAt } = HEADER_LAYOUTS[version];
  return content.subarray(descriptionAt, descriptionAt + DESCRIPTION_BYTES);
}

function markOf(content: Uint8Array, version: 1 | 2, maker: string): string {
  const { descriptionAt } = HEADER_LAYOUTS[version];
  const hash = createHash('sha256').update(content.subarray(0, descriptionAt)).update(NOTHING);
  const rest = hash.update(content.subarray(descriptionAt + DESCRIPTION_BYTES)).digest('hex');
  return `RONASMIS ${maker} ${rest.slice(0, 32)}`;
}
