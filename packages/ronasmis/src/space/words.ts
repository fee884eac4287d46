import type { ChildArchitecture, MacroArchitecture, MicroArchitecture } from '../architecture/architecture.ts';
import { operations, sourceName } from '../architecture/cell.ts';
import { titleOfTerm } from './micro.ts';
import type { SearchSpace } from './space.ts';
import { skipLevels, titleOf } from './table1.ts';

/** A choice at one place and its option, both in words. */
type ChoiceInWords = readonly [title: string, option: string];

/** Every choice of a child in words, called as the decisions of its space are. */
export function choicesInWords(child: ChildArchitecture): readonly ChoiceInWords[] {
  return 'cell' in child ? cellInWords(child) : macroInWords(child);
}

function macroInWords({ patch, encoder, decoder }: MacroArchitecture): readonly ChoiceInWords[] {
  const network = { part: 'network' } as const;
  return [
    [titleOf('patch_depth', network), String(patch.depth)],
    [titleOf('patch_plane', network), `${patch.height} x ${patch.width}`],
    ...encoder.flatMap(({ pool, dilation, activation }, level) => {
      const section = { part: 'encoder', level } as const;
      return [
        [titleOf('pool_depth', section), String(pool.depth)] as const,
        [titleOf('pool_plane', section), String(pool.plane)] as const,
        [titleOf('dilation', section), String(dilation)] as const,
        [titleOf('activation', section), activation] as const,
      ];
    }),
    ...decoder.flatMap(({ dilation, activation, skips }, level) => {
      const section = { part: 'decoder', level } as const;
      return [
        [titleOf('dilation', section), String(dilation)] as const,
        [titleOf('activation', section), activation] as const,
        ...Array.from(
          { length: skipLevels },
          (_, from) => [titleOf('skip', section, from), skips.includes(from) ? 'yes' : 'no'] as const,
        ),
      ];
    }),
  ];
}

function cellInWords({ cell }: MicroArchitecture): readonly ChoiceInWords[] {
  return cell.flatMap((terms, index) =>
    terms.flatMap(({ input, operation }, at) => {
      const slot = at === 0 ? 0 : 1;
      const own = [titleOfTerm('operation', slot, index + 1), operations[operation].name] as const;
      return index === 0 ? [own] : [[titleOfTerm('input', slot, index + 1), sourceName(input)] as const, own];
    }),
  );
}

/** How likely each option of a choice is, by its name. */
interface LikelyOptions {
  readonly choice: string;
  readonly probabilities: Record<string, number>;
}

/** How likely each option of each choice of a space is, in words; undefined where the probabilities are. */
export function policyInWords(
  { decisions }: Pick<SearchSpace, 'decisions'>,
  probabilities: readonly (readonly number[])[] | undefined,
): readonly LikelyOptions[] | undefined {
  return probabilities?.map((options, at) => {
    const { choice, words } = decisions[at];
    const named = options.map((probability, option) => {
      return [words?.options[option] ?? String(option), Number(probability.toPrecision(4))] as const;
    });
    return { choice: words?.title ?? `${choice}, decision ${at + 1}`, probabilities: Object.fromEntries(named) };
  });
}
