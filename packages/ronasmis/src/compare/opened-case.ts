import { type Case, loadCase, turnCase } from '../data/case.ts';
import type { Labelling } from '../data/description.ts';
import { turnTo, turnVolume } from '../formats/orientation.ts';
import { placeOn } from '../formats/placement.ts';
import { readLabelMap } from '../formats/read-volume.ts';
import type { Volume } from '../formats/volume.ts';
import type { ExampleVolume } from '../report/slices.ts';

/** A case as a page draws it, on its own grid: the first channel and the class indices of its label map. */
export interface OpenedCase {
  readonly volume: ExampleVolume;
  /** Class indices of another label map of it. */
  readonly predictionOf: (file: string) => Promise<Uint8Array>;
}

/** Reads a case to be drawn, turned so that the patient's front is up; undefined where files of it are gone or damaged. */
export async function openCase(entry: Case, { labels }: Pick<Labelling, 'labels'>): Promise<OpenedCase | undefined> {
  const read = await loadCase(entry);
  if (read.kind !== 'loaded') return undefined;
  const scan = read.loaded.imageVolume;
  const { imageVolume, labelVolume } = turnCase(read.loaded, 'RAS');
  const classOf = new Map(labels.map(({ value }, index) => [value, index]));
  const classesIn = ({ data }: Volume): Uint8Array => Uint8Array.from(data, (value) => classOf.get(value) ?? 0);
  const { shape, spacing } = imageVolume;
  const image = Float32Array.from(imageVolume.data.subarray(0, labelVolume.data.length));
  return {
    volume: { image, reference: classesIn(labelVolume), shape, spacing },
    predictionOf: async (file) => {
      const placed = placeOn(await readLabelMap(file), scan).volume;
      return classesIn(turnVolume(placed, turnTo(scan, 'RAS')));
    },
  };
}
