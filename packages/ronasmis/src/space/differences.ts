import { activations } from '../architecture/activations.ts';
import type { ChildArchitecture, MacroArchitecture } from '../architecture/architecture.ts';

/** In what a child differs from the base child: one kind of choice, wherever it was made. */
export interface Difference {
  /** What the child has, in words. */
  readonly what: string;
  /** The child with the base child's choices of this kind. */
  readonly without: ChildArchitecture;
}

/** In what a child differs from the base child of its space, patches aside: a network is the same on any. */
export function differencesFrom(base: ChildArchitecture, child: ChildArchitecture): readonly Difference[] {
  if (child.coarse !== undefined) {
    const { coarse, ...alone } = child;
    const joined = { what: 'what half the resolution had come to, beside it', without: alone };
    // Each of the others is asked with the coarse network in place.
    return [joined, ...differencesFrom(base, alone).map((one) => ({ ...one, without: { ...one.without, coarse } }))];
  }
  if ('cell' in base || 'cell' in child) {
    const isSame = JSON.stringify({ ...child, patch: base.patch }) === JSON.stringify(base);
    return isSame ? [] : [{ what: 'another cell', without: { ...base, patch: child.patch } }];
  }
  return kinds.flatMap(({ noun, say, take }) => {
    const changed = say(base, child);
    return changed.length === 0 ? [] : [{ what: `${noun} ${listed(changed)}`, without: take(base, child) }];
  });
}

/** A kind of choice of the macro space. */
interface Kind {
  readonly noun: string;
  /** What the child has where it differs from the base, in words. */
  readonly say: (base: MacroArchitecture, child: MacroArchitecture) => readonly string[];
  /** The child with the base's choices of this kind. */
  readonly take: (base: MacroArchitecture, child: MacroArchitecture) => MacroArchitecture;
}

type Level = MacroArchitecture['encoder'][number] | MacroArchitecture['decoder'][number];

/** A choice that every level has. */
function ofLevels(noun: string, field: 'dilation' | 'activation', text: (level: Level) => string): Kind {
  const parts = ['encoder', 'decoder'] as const;
  return {
    noun,
    say: (base, child) =>
      parts.flatMap((part) =>
        child[part].flatMap((level, at) =>
          level[field] === base[part][at][field] ? [] : [`${text(level)} at ${part} level ${at}`],
        ),
      ),
    take: (base, child) => ({
      ...child,
      encoder: child.encoder.map((level, at) => ({ ...level, [field]: base.encoder[at][field] })),
      decoder: child.decoder.map((level, at) => ({ ...level, [field]: base.decoder[at][field] })),
    }),
  };
}

const kinds: readonly Kind[] = [
  {
    noun: 'pooling',
    say: (base, child) =>
      child.encoder.flatMap(({ pool }, at) => {
        const { depth, plane } = base.encoder[at].pool;
        const changed = [
          ...(pool.depth === depth ? [] : [`the depth by ${pool.depth}`]),
          ...(pool.plane === plane ? [] : [`the plane by ${pool.plane}`]),
        ];
        return changed.map((what) => `${what} before level ${at}`);
      }),
    take: (base, child) => ({
      ...child,
      encoder: child.encoder.map((level, at) => ({ ...level, pool: base.encoder[at].pool })),
    }),
  },
  ofLevels('dilation', 'dilation', ({ dilation }) => String(dilation)),
  ofLevels('activation', 'activation', ({ activation }) => activations[activation].title),
  {
    noun: 'skips',
    say: (base, child) =>
      child.decoder.flatMap(({ skips }, at) => {
        if (String(skips) === String(base.decoder[at].skips)) return [];
        return [`${skips.length === 0 ? 'from no level' : `from ${listed(skips.map(String))}`} into level ${at}`];
      }),
    take: (base, child) => ({
      ...child,
      decoder: child.decoder.map((level, at) => ({ ...level, skips: base.decoder[at].skips })),
    }),
  },
];

/** Differences that there are at most. */
export const kindsOfDifferences = kinds.length + 1;

/** As a sentence lists things. */
function listed(things: readonly string[]): string {
  const last = things.slice(-1);
  return things.length < 2 ? last.join('') : `${things.slice(0, -1).join(', ')} and ${last}`;
}
