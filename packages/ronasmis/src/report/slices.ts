import { encode } from 'fast-png';
import type { Triple } from '../base/geometry.ts';
import { caseMean, type DiceSummary } from '../evaluation/summary.ts';
import { contourPath } from './contours.ts';
import { type Html, html } from './html.ts';
import type { Contour, SlicePicture } from './told/messages.ts';

/** A slice to look at: intensities and class indices, all [height, width]. */
export type Slice = {
  readonly image: Float32Array;
  readonly prediction?: Uint8Array;
  readonly reference: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** Height of a pixel over its width, in millimetres each. */
  readonly pixelAspect: number;
  /** Which slice it is, from 1, of how many. */
  readonly number: number;
  readonly count: number;
};

/** A case worth looking at, by how good its Dice is among the test cases. */
export type Example = { readonly rank: 'Best' | 'Median' | 'Worst'; readonly name: string; readonly dice: number };

/** A whole case: one channel's intensities and class indices, all [depth, height, width]. */
export type ExampleVolume = {
  readonly image: Float32Array;
  readonly prediction?: Uint8Array;
  readonly reference: Uint8Array;
  readonly shape: Triple;
  /** Millimetres along [depth, height, width]. */
  readonly spacing: Triple;
};

/** The best, the median and the worst case by mean Dice; fewer where there are fewer cases. */
export function pickExamples(dice: DiceSummary): readonly Example[] {
  const ranked = Object.entries(dice.cases)
    .flatMap(([name, scores]) => {
      const mean = caseMean(scores);
      return mean === null ? [] : [{ name, dice: mean }];
    })
    .sort((a, b) => b.dice - a.dice);
  const picks: Example[] = [];
  const pick = (rank: Example['rank'], index: number) => {
    const example = ranked[index];
    if (example !== undefined && picks.every(({ name }) => name !== example.name)) picks.push({ rank, ...example });
  };
  pick('Best', 0);
  pick('Median', Math.floor((ranked.length - 1) / 2));
  pick('Worst', ranked.length - 1);
  return picks;
}

/** Up to three slices across the depth, at a quarter, half and three quarters of the labelled extent. */
export function chooseSlices(volume: ExampleVolume): readonly Slice[] {
  const [depth, height, width] = volume.shape;
  const plane = height * width;
  const hasLabel = (z: number) => {
    const range = [z * plane, (z + 1) * plane] as const;
    return [volume.reference, volume.prediction].some((mask) => mask?.subarray(...range).some(isSet));
  };
  const labelled = Array.from({ length: depth }, (_, z) => z).filter(hasLabel);
  const candidates = labelled.length > 0 ? labelled : [Math.floor(depth / 2)];
  const chosen = new Set([0.25, 0.5, 0.75].map((part) => candidates[Math.round(part * (candidates.length - 1))]));
  return [...chosen].map((z) => sliceAt(volume, z));
}

/** The slice at this depth, from 0. */
export function sliceAt({ image, prediction, reference, shape, spacing }: ExampleVolume, z: number): Slice {
  const [depth, height, width] = shape;
  const range = [z * height * width, (z + 1) * height * width] as const;
  return {
    image: image.slice(...range),
    ...(prediction && { prediction: prediction.slice(...range) }),
    reference: reference.slice(...range),
    height,
    width,
    pixelAspect: spacing[1] / spacing[2],
    number: z + 1,
    count: depth,
  };
}

const isSet = (label: number): boolean => label !== 0;

/**
 * Draws a slice with the contours of the reference and of a prediction over it. Rows run from last to first: in the
 * usual orientation (+y anterior) the patient's front is up.
 * @param classes how many there are beside the background
 * @param caption in place of which slice it is
 * @param background what {@link sliceImage} makes, or a reference to it
 */
export function drawSlice(
  slice: Slice,
  classes: number,
  caption = `slice ${slice.number} of ${slice.count}`,
  background = sliceImage(slice),
): Html {
  const { height, width } = slice;
  const contours = contoursOf(slice, classes).map(
    ({ kind, index, path }) => html`<path class="${kind} class${index % 6}" d="${path}"/>`,
  );
  return html`<figure class="slice"><svg viewBox="0 0 ${width} ${height}" style="aspect-ratio:${width} / ${height * slice.pixelAspect}" preserveAspectRatio="none" role="img" aria-label="Slice ${slice.number}">
<g transform="matrix(1 0 0 -1 0 ${height})">${background}
${contours}</g></svg>
<figcaption>${caption}</figcaption></figure>`;
}

/** What a page needs to draw the same. @param classes how many there are beside the background */
export function pictureOf(slice: Slice, classes: number): SlicePicture {
  const { height, width, pixelAspect, number, count } = slice;
  return { image: toPng(slice), height, width, pixelAspect, number, count, contours: contoursOf(slice, classes) };
}

/** Outlines of what the slice has of each class: of the reference, and then of the prediction. */
function contoursOf({ reference, prediction, height, width }: Slice, classes: number): readonly Contour[] {
  const of = (mask: Uint8Array, kind: Contour['kind']): readonly Contour[] =>
    Array.from({ length: classes }, (_, index) => ({ kind, index, path: contourPath(mask, height, width, index + 1) }));
  const all = [...of(reference, 'reference'), ...(prediction ? of(prediction, 'prediction') : [])];
  return all.filter(({ path }) => path !== '');
}

/** The intensities of a slice, as an image of an SVG; by its `id` others on the page may refer to it. */
export function sliceImage(slice: Slice, id?: string): Html {
  const { height, width } = slice;
  return html`<image ${id === undefined ? '' : html`id="${id}" `}href="${toPng(slice)}" width="${width}" height="${height}" preserveAspectRatio="none"/>`;
}

/** Grey 8-bit PNG as a data URI, the window from the 1st to the 99th percentile. */
function toPng({ image, height, width }: Slice): string {
  const sorted = image.toSorted();
  const low = sorted[Math.floor(0.01 * (sorted.length - 1))];
  const high = sorted[Math.ceil(0.99 * (sorted.length - 1))];
  const range = high > low ? high - low : 1;
  const data = Uint8Array.from(image, (value) => Math.min(255, Math.max(0, Math.round(((value - low) / range) * 255))));
  return `data:image/png;base64,${Buffer.from(encode({ width, height, data, channels: 1, depth: 8 })).toString('base64')}`;
}
