import { Niivue, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue';

// What the pages ask of NiiVue alike.

/** How a volume is seen. */
export type View = 'all' | 'axial' | 'coronal' | 'sagittal' | '3D';

/** A value of a label map, and what it means. */
interface Label {
  readonly value: number;
  readonly name: string;
}

/** Colours of the classes, as the style sheet has them: they stand on black in any theme. */
const tones = [
  [18, 181, 201],
  [255, 122, 69],
  [163, 217, 59],
  [185, 140, 255],
  [255, 210, 63],
  [255, 111, 174],
] as const;
/** What NiiVue calls each view. */
export const views = {
  all: SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  '3D': SLICE_TYPE.RENDER,
} as const;

/** NiiVue on a canvas. @throws where the browser has no WebGL 2 */
export async function openCanvas(canvas: HTMLCanvasElement): Promise<Niivue> {
  const viewer = new Niivue({
    backColor: [0, 0, 0, 1],
    crosshairColor: [1, 1, 1, 0.45],
    dragAndDropEnabled: false,
    isNearestInterpolation: true,
    isColorbar: false,
    loadingText: '',
    logLevel: 'error',
    multiplanarShowRender: SHOW_RENDER.ALWAYS,
  });
  await viewer.attachToCanvas(canvas, false);
  return viewer;
}

/** The colours of a label map, by the values of its voxels: those of the classes, or white for all. */
export function lookUp(labels: readonly Label[], isWhite: boolean) {
  const of = (channel: 0 | 1 | 2): number[] => [
    0,
    ...labels.map((_, at) => (isWhite ? 255 : tones[at % tones.length][channel])),
  ];
  return {
    R: of(0),
    G: of(1),
    B: of(2),
    A: [0, ...labels.map(() => 255)],
    I: [0, ...labels.map(({ value }) => value)],
    labels: ['', ...labels.map(({ name }) => name)],
  };
}
