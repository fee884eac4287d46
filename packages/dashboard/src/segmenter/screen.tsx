import { useEffect, useRef, useState } from 'preact/hooks';
import type { View } from '../page/canvas.ts';
import { SliceButtons } from '../page/slice-buttons.tsx';
import type { LabelName } from './messages.ts';
import type { ScanViewer } from './volume-viewer.ts';

const viewNames: readonly View[] = ['all', 'axial', 'coronal', 'sagittal', '3D'];

interface Props {
  readonly name: string;
  readonly scan: Uint8Array<ArrayBuffer>;
  readonly labelMap: Uint8Array<ArrayBuffer> | null;
  readonly labels: readonly LabelName[];
}

/** The scan with its segmentation over it. */
export function Screen({ name, scan, labelMap, labels }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [viewer, setViewer] = useState<ScanViewer | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => {
    let made: ScanViewer | undefined;
    let isGone = false;
    const begin = async (element: HTMLCanvasElement): Promise<void> => {
      const { openScanViewer } = await import('./volume-viewer.ts');
      made = await openScanViewer(element, labels);
      if (isGone) made.close();
      else setViewer(made);
    };
    if (canvas.current !== null) begin(canvas.current).catch(() => setShown(noViewer));
    return () => {
      isGone = true;
      made?.close();
    };
  }, []);
  useEffect(() => {
    viewer?.show(scan, labelMap).then(
      () => setShown(labelMap === null ? 'scan' : 'scan and segmentation'),
      () => setShown(noViewer),
    );
  }, [viewer, scan, labelMap]);
  return (
    <section aria-labelledby="viewer">
      <div class="headline">
        <h2 id="viewer">Volume</h2>
        <div class="tools">
          <label>
            view{' '}
            <select onChange={({ currentTarget }) => viewer?.setView(viewNames[currentTarget.selectedIndex])}>
              {viewNames.map((one) => (
                <option key={one}>{one === 'all' ? 'slices and 3D' : one}</option>
              ))}
            </select>
          </label>
          <label>
            segmentation{' '}
            <input
              type="range"
              min="0"
              max="100"
              defaultValue="60"
              disabled={labelMap === null}
              onInput={({ currentTarget }) => viewer?.setOpacity(Number(currentTarget.value) / 100)}
            />
          </label>
          <SliceButtons move={(slices) => viewer?.move(slices)} />
        </div>
      </div>
      <div class="screen" data-shown={shown}>
        <canvas ref={canvas} tabIndex={0} role="img" aria-label={`${name}: ${shown ?? 'being loaded'}`} />
      </div>
      {shown === noViewer && <p class="problem">{noViewer}</p>}
    </section>
  );
}

const noViewer = 'This browser shows no volumes (it has no WebGL 2): save the label map, and open it elsewhere.';
