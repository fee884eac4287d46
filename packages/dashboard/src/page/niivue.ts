import type { NVImage } from '@niivue/niivue';
import type { CaseFiles, ViewableCase } from '../shared/messages.ts';
import { lookUp, openCanvas, type View, views } from './canvas.ts';

// The volumes of a run's cases. NiiVue is loaded where somebody looks at a volume, for it is larger than all else together.

/** What lies over the scan. */
export type Layer = 'label' | 'prediction';

/** A viewer on a canvas. */
export interface VolumeViewer {
  /** Opens at the slice in which most is wrong, or, without a prediction, most is labelled; in words which one it is. */
  readonly open: (files: CaseFiles, channel: number, labels: ViewableCase['labels']) => Promise<string>;
  readonly setView: (view: View) => void;
  readonly setLayer: (layer: Layer, isShown: boolean) => void;
  /** Goes so many slices up. */
  readonly move: (slices: number) => void;
  readonly close: () => void;
}

/** @throws where the browser has no WebGL 2 */
export async function openViewer(canvas: HTMLCanvasElement): Promise<VolumeViewer> {
  const viewer = await openCanvas(canvas);
  const layers = new Map<Layer, number>();
  return {
    open: async ({ channels, label, prediction }, channel, labels) => {
      const { url, frame } = channels[Math.min(channel, channels.length - 1)];
      const over = prediction === null ? [label] : [label, prediction];
      await viewer.loadVolumes([
        { url, colormap: 'gray', frame4D: frame },
        ...over.map((address) => ({ url: address, colormap: 'red', opacity: 1 })),
      ]);
      layers.clear();
      layers.set('label', 1);
      if (prediction !== null) layers.set('prediction', 2);
      const [scan, ofLabel, ofPrediction] = viewer.volumes;
      if (frame > 0) viewer.setFrame4D(scan.id, frame);
      // With a prediction the label is white, so that it tells itself from it.
      ofLabel.setColormapLabel(lookUp(labels, ofPrediction !== undefined));
      ofPrediction?.setColormapLabel(lookUp(labels, false));
      const place = worstPlace(ofLabel, ofPrediction);
      for (const volume of viewer.volumes.slice(1)) leaveContours(volume);
      viewer.updateGLVolume();
      viewer.scene.crosshairPos = viewer.vox2frac(place.voxel);
      viewer.drawScene();
      return place.words;
    },
    setView: (view) => void viewer.setSliceType(views[view]),
    setLayer: (layer, isShown) => {
      const index = layers.get(layer);
      if (index !== undefined) viewer.setOpacity(index, isShown ? 1 : 0);
    },
    move: (slices) => viewer.moveCrosshairInVox(0, 0, slices),
    close: () => {
      viewer.cleanup();
      viewer.gl.getExtension('WEBGL_lose_context')?.loseContext();
    },
  };
}

/** Of each label's regions, leaves what bounds them within their slices: across thick slices, whole ones would be a boundary. */
function leaveContours(volume: NVImage): void {
  const { img, dims } = volume;
  if (img === undefined || dims === undefined) return;
  const [, width, height] = dims;
  const kept = img.slice();
  for (let at = 0; at < img.length; at++) {
    const value = img[at];
    if (value === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width) % height];
    const isInner =
      x > 0 &&
      y > 0 &&
      x < width - 1 &&
      y < height - 1 &&
      img[at - 1] === value &&
      img[at + 1] === value &&
      img[at - width] === value &&
      img[at + width] === value;
    if (isInner) kept[at] = 0;
  }
  volume.img = kept;
}

/** The slice with the most voxels that label and prediction do not agree on, or the most that are labelled, and their middle in it. */
function worstPlace(label: NVImage, prediction: NVImage | undefined) {
  const [, nx = 1, ny = 1, nz = 1] = label.dimsRAS ?? [];
  const [one, other] = [label.img2RAS(), prediction?.img2RAS()];
  const counts = new Float64Array(nz);
  const [sumX, sumY] = [new Float64Array(nz), new Float64Array(nz)];
  for (let z = 0, at = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, at++) {
        if (other === undefined ? one[at] === 0 : one[at] === other[at]) continue;
        counts[z] += 1;
        sumX[z] += x;
        sumY[z] += y;
      }
    }
  }
  const z = counts.indexOf(Math.max(...counts));
  if (counts[z] === 0) return { voxel: [nx >> 1, ny >> 1, nz >> 1], words: 'the middle of the scan' };
  const voxel = [Math.round(sumX[z] / counts[z]), Math.round(sumY[z] / counts[z]), z];
  const what = other === undefined ? 'the slice with the most labelled voxels' : 'the slice in which most is wrong';
  return { voxel, words: `slice ${z + 1} of ${nz}, ${what}` };
}
