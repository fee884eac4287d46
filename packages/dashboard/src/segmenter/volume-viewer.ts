import { lookUp, openCanvas, type View, views } from '../page/canvas.ts';
import type { LabelName } from './messages.ts';

/** A viewer of one scan and what it was segmented into. */
export interface ScanViewer {
  /** Shows a scan, and a label map over it where there is one, both as NIfTI files that are not packed. */
  readonly show: (scan: Uint8Array<ArrayBuffer>, labelMap: Uint8Array<ArrayBuffer> | null) => Promise<void>;
  readonly setView: (view: View) => void;
  /** From 0 to 1. */
  readonly setOpacity: (opacity: number) => void;
  /** Goes so many slices up. */
  readonly move: (slices: number) => void;
  readonly close: () => void;
}

/** @throws where the browser has no WebGL 2 */
export async function openScanViewer(canvas: HTMLCanvasElement, labels: readonly LabelName[]): Promise<ScanViewer> {
  const viewer = await openCanvas(canvas);
  return {
    show: async (scan, labelMap) => {
      const volumes = [scan, ...(labelMap === null ? [] : [labelMap])].map((bytes, at) => ({
        url: URL.createObjectURL(new Blob([bytes])),
        name: at === 0 ? 'scan.nii' : 'segmentation.nii',
        colormap: at === 0 ? 'gray' : 'red',
        opacity: at === 0 ? 1 : 0.6,
      }));
      try {
        await viewer.loadVolumes(volumes);
        viewer.volumes[1]?.setColormapLabel(lookUp(labels, false));
        viewer.updateGLVolume();
      } finally {
        for (const { url } of volumes) URL.revokeObjectURL(url);
      }
    },
    setView: (view) => void viewer.setSliceType(views[view]),
    setOpacity: (opacity) => {
      if (viewer.volumes.length > 1) viewer.setOpacity(1, opacity);
    },
    move: (slices) => viewer.moveCrosshairInVox(0, 0, slices),
    close: () => {
      viewer.cleanup();
      viewer.gl.getExtension('WEBGL_lose_context')?.loseContext();
    },
  };
}
