import { noGradient } from './modes.ts';
import { copyInPlace } from './operations.ts';
import type { Tensor } from './tensor.ts';

/** Tensors by name, as a checkpoint holds them. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** The parts as one map, each name behind that of its part and a slash. */
export function joinParts(parts: Readonly<Record<string, NamedTensors>>): NamedTensors {
  return new Map(
    Object.entries(parts).flatMap(([part, tensors]) =>
      Array.from(tensors, ([name, tensor]) => [`${part}/${name}`, tensor] as const),
    ),
  );
}

/** The part of this name out of what {@link joinParts} joined. */
export function partOf(tensors: NamedTensors, part: string): NamedTensors {
  const prefix = `${part}/`;
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

/** Overwrites the values of `targets` by those of the same names. Throws where one is missing or of another shape. */
export function copyInto(targets: NamedTensors, sources: NamedTensors): void {
  noGradient(() => {
    for (const [name, target] of targets) {
      const source = sources.get(name);
      if (!source || String(source.shape) !== String(target.shape)) {
        throw new Error(`it lacks the weight '${name}' of shape [${target.shape.join(', ')}]`);
      }
      copyInPlace(target, source);
    }
  });
}
