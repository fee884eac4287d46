import { createHash } from 'node:crypto';
import type { RunRecord } from './run-record.ts';

/** A short name of a search, by which files that its network has made are known again; that of a copy of the run folder is the same. */
export function runKey({ created, settings, fingerprint }: RunRecord): string {
  const identity = JSON.stringify([created, settings.seed, settings.controller, settings.fold, fingerprint.sha256]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
