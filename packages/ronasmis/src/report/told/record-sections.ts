import type { RunRecord } from '../../run/run-record.ts';
import { flatten } from '../tables.ts';
import type { RecordSections } from './messages.ts';

/** What a run was told and ran on, in sections. */
export function recordSections(run: RunRecord): RecordSections {
  const { settings, engine, recipe, fingerprint, network, version, created, ...others } = run;
  const section = (title: string, value: unknown) => ({ title, rows: flatten('', value) });
  return [
    section('Settings', { ...settings, created }),
    section('Versions and engine', { ronasmis: version, ...engine }),
    section('Network', network),
    section('Recipe', recipe),
    section('Data', { ...others, ...withoutLists(fingerprint) }),
  ].filter(({ rows }) => rows.length > 0);
}

/** Without what there is one of for each case. */
function withoutLists(fingerprint: RunRecord['fingerprint']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fingerprint).filter(([, value]) => !(Array.isArray(value) && typeof value[0] === 'object')),
  );
}
