import { useEffect, useRef, useState } from 'preact/hooks';
import type { CaseTable, ViewableCase } from '../shared/messages.ts';
import type { View } from './canvas.ts';
import type { Layer, VolumeViewer } from './niivue.ts';
import { SliceButtons } from './slice-buttons.tsx';
import { fetchJson, reasonOf, useJson } from './use-json.ts';

const views: readonly { readonly view: View; readonly title: string }[] = [
  { view: 'all', title: 'slices and 3D' },
  { view: 'axial', title: 'axial' },
  { view: 'coronal', title: 'coronal' },
  { view: 'sagittal', title: 'sagittal' },
  { view: '3D', title: '3D' },
];

interface Props {
  /** Of the run's volumes; null before it has begun. */
  readonly address: string | null;
  readonly tables: readonly CaseTable[];
  /** The case that is looked at. */
  readonly name: string | null;
  readonly open: (name: string) => void;
  readonly version: number;
}

/** A case's scan with the contours of its label and of what the network makes of it. */
export function Viewer({ address, tables, name, open, version }: Props) {
  const [made, setMade] = useState(0);
  const at = address !== null && name !== null ? `${address}/${encodeURIComponent(name)}` : null;
  const { value: found, problem } = useJson<ViewableCase>(at, version + made);
  const viewable = found?.files?.name === name || found?.files === null ? found : null;
  const names = tables.flatMap(({ cases }) => cases.map((one) => one.name));
  return (
    <section id="viewer" aria-labelledby="volumes" class="viewer">
      <div class="headline">
        <h2 id="volumes">Volume</h2>
        <div class="tools">
          <label>
            case{' '}
            <select
              value={name ?? ''}
              onChange={({ currentTarget }) => open(currentTarget.value)}
              disabled={names.length === 0}
            >
              {names.length === 0 && <option value="">none yet</option>}
              {names.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          {at !== null && viewable?.files && (
            <Segmenting key={at} address={at} viewable={viewable} done={() => setMade(made + 1)} />
          )}
        </div>
      </div>
      {viewable?.files ? (
        <Screen key={`${name} ${viewable.files.prediction}`} viewable={viewable} />
      ) : (
        <div class="screen">
          <div class="veil">
            <p>
              {viewable?.why ?? problem ?? (name === null ? 'No case was evaluated yet.' : 'Looking for the case.')}
            </p>
          </div>
        </div>
      )}
    </section>
  );
}

/** The button that has the network segment the case. */
function Segmenting({
  address,
  viewable,
  done,
}: {
  readonly address: string;
  readonly viewable: ViewableCase;
  readonly done: () => void;
}) {
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly problem: string | null }>({
    isBusy: false,
    problem: null,
  });
  if (viewable.files?.prediction) return <span>with the network's segmentation</span>;
  if (!viewable.canPredict) return <span>the network can segment it once it has finished</span>;
  const segment = (): void => {
    setState({ isBusy: true, problem: null });
    fetchJson(`${address}/prediction`, { method: 'POST' }).then(done, (error: unknown) =>
      setState({ isBusy: false, problem: reasonOf(error) }),
    );
  };
  return (
    <>
      {state.problem !== null && (
        <span class="problem" role="alert">
          {state.problem}
        </span>
      )}
      <button type="button" class="strong" disabled={state.isBusy} onClick={segment}>
        {state.isBusy ? 'Segmenting…' : 'Segment this case'}
      </button>
    </>
  );
}

function Screen({ viewable }: { readonly viewable: ViewableCase }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { viewer, place, problem, show } = useViewer(canvas, viewable);
  const [view, setView] = useState<View>('all');
  const [hidden, setHidden] = useState<readonly Layer[]>([]);
  const [channel, setChannel] = useState(0);
  const { files, labels } = viewable;
  const layers: readonly Layer[] = files?.prediction ? ['label', 'prediction'] : ['label'];
  const toggle = (layer: Layer): void => {
    viewer?.setLayer(layer, hidden.includes(layer));
    setHidden(hidden.includes(layer) ? hidden.filter((one) => one !== layer) : [...hidden, layer]);
  };
  return (
    <>
      <div class="tools">
        <label>
          view{' '}
          <select
            value={view}
            onChange={({ currentTarget }) => {
              const wanted = views.find(({ title }) => title === currentTarget.selectedOptions[0].text)?.view ?? 'all';
              setView(wanted);
              viewer?.setView(wanted);
            }}
          >
            {views.map((one) => (
              <option key={one.view} value={one.view}>
                {one.title}
              </option>
            ))}
          </select>
        </label>
        {(files?.channels.length ?? 0) > 1 && (
          <label>
            channel{' '}
            <select
              value={channel}
              onChange={({ currentTarget }) => {
                setChannel(Number(currentTarget.value));
                show(Number(currentTarget.value));
              }}
            >
              {files?.channels.map((_, at) => (
                <option key={String(at)} value={at}>
                  {at + 1}
                </option>
              ))}
            </select>
          </label>
        )}
        {layers.map((layer) => (
          <label key={layer}>
            <input type="checkbox" checked={!hidden.includes(layer)} onChange={() => toggle(layer)} /> {layer}
          </label>
        ))}
        <SliceButtons move={(slices) => viewer?.move(slices)} />
        <span role="status" data-place={place}>
          {place ?? ''}
        </span>
      </div>
      <div class="screen">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label={`Case ${files?.name}: scan with contours of ${layers.join(' and ')}${place === null ? '' : `, at ${place}`}`}
        />
        {place === null && (
          <div class="veil">
            <p>{problem ?? 'Loading the volumes.'}</p>
          </div>
        )}
      </div>
      <div class="swatches">
        {labels.map(({ value, name }, at) => (
          <span key={String(value)} class={`class${at % 6}`}>
            {name}
          </span>
        ))}
        <em>
          {files?.prediction
            ? 'Colours: the network. White: the label.'
            : 'Colours: the label. Nobody has segmented this case with the network yet.'}
        </em>
      </div>
    </>
  );
}

/** The viewer on a canvas, from when it is seen for the first time. There is never more than one: this is the page's only canvas of this kind. */
function useViewer(canvas: { readonly current: HTMLCanvasElement | null }, { files, labels }: ViewableCase) {
  const [viewer, setViewer] = useState<VolumeViewer | null>(null);
  const [place, setPlace] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const open = (on: VolumeViewer, channel: number): void => {
    if (files === null) return;
    on.open(files, channel, labels).then(setPlace, (error: unknown) => setProblem(reasonOf(error)));
  };
  useEffect(() => {
    const { current } = canvas;
    if (current === null) return undefined;
    let made: VolumeViewer | undefined;
    let isGone = false;
    const begin = async (): Promise<void> => {
      const { openViewer } = await import('./niivue.ts');
      if (isGone) return;
      made = await openViewer(current);
      if (isGone) return made.close();
      setViewer(made);
      open(made, 0);
    };
    const observer = new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      observer.disconnect();
      begin().catch((error: unknown) => setProblem(`The volumes can't be shown: ${reasonOf(error)}`));
    });
    observer.observe(current);
    return () => {
      isGone = true;
      observer.disconnect();
      made?.close();
    };
  }, []);
  return { viewer, place, problem, show: (channel: number) => viewer !== null && open(viewer, channel) };
}
