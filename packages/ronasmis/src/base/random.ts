import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** The whole state of a generator as plain JSON: a generator restored from it goes on with the same draws. */
export type RandomState = readonly number[];

/** A small seeded generator (xoroshiro128+): everything the project draws outside libtorch comes from one of these. */
export interface Random {
  /** A number in [0, 1) with 53 random bits. */
  uniform(): number;
  /** An integer in [0, count), without modulo bias. `count` is at least 1. */
  integer(count: number): number;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(values: readonly T[]): T[];
  /** The state to hand to `restoreRandom`. */
  state(): RandomState;
  /** Goes on where the generator that gave `state` stood. */
  goTo(state: RandomState): void;
}

/** A draw of the standard normal distribution (Box and Muller, 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

/** Draws that are thrown away after seeding, so that neighbouring seeds do not begin alike. */
const WARM_UP_DRAWS = 32;

/** A generator whose draws depend on the 32-bit `seed` alone. */
export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  for (let draw = 0; draw < WARM_UP_DRAWS; draw++) generator.next();
  return restoreRandom(generator.getState());
}

/** The generator that goes on where the one that gave `state` stood. */
export function restoreRandom(state: RandomState): Random {
  let generator = xoroshiro128plusFromState(state);
  const integer = (count: number): number => uniformInt(generator, 0, count - 1);
  return {
    uniform: () => uniformFloat64(generator),
    integer,
    shuffle: (values) => {
      const shuffled = [...values];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
      }
      return shuffled;
    },
    state: () => generator.getState(),
    goTo: (other) => {
      generator = xoroshiro128plusFromState(other);
    },
  };
}
