import { useState } from 'preact/hooks';
import { chosenFiles, droppedFiles } from './given-files.ts';
import type { Engine, GivenFile } from './messages.ts';
import { Screen } from './screen.tsx';
import { type Segmenter, useSegmenter } from './use-segmenter.ts';

/** WebAssembly addresses 4 GiB, the network and ONNX Runtime's own included. */
const mostBytes = 3 * 2 ** 30;
/** Of what the machine has, as far as a browser tells it. */
const startBytes = (): number => {
  const gibibytes = 'deviceMemory' in navigator ? Number(navigator.deviceMemory) : 4;
  return Math.min(mostBytes, (gibibytes / 2) * 2 ** 30);
};

/** The page: a scan is given, segmented, looked at and saved. */
export function App() {
  const segmenter = useSegmenter();
  const [memoryBytes, setMemoryBytes] = useState(startBytes);
  const { described, opened, segmented, busy, problem } = segmenter;
  return (
    <>
      <header class="top">
        <span class="brand">RONASMIS</span>
      </header>
      <main>
        <h1>Segment a scan</h1>
        <p class="lead">
          {described === null
            ? 'Loading the network.'
            : `It finds ${described.labels.map(({ name }) => name).join(', ')}.`}{' '}
          The scan stays in this browser: nothing is sent anywhere.
        </p>
        <section class="caution" aria-label="Caution">
          <p>
            <b>This is research software: it is not a medical device, and nothing it shows is a diagnosis.</b>
          </p>
        </section>
        <Giving
          channels={described?.channels ?? 1}
          give={(files) => segmenter.open(files, memoryBytes)}
          isBusy={busy !== null}
          memoryBytes={memoryBytes}
          setMemoryBytes={(bytes) => {
            setMemoryBytes(bytes);
            segmenter.reopen(bytes);
          }}
        />
        <p role="status" class="lead" data-state={busy === null ? 'waiting' : 'busy'}>
          {busy === null ? '' : `${busy} …`}
        </p>
        {problem !== null && (
          <p role="alert" class="problem">
            {problem}
          </p>
        )}
        {opened !== null && <Scan segmenter={segmenter} />}
        {opened !== null && described !== null && (
          <Screen
            key={opened.name}
            name={opened.name}
            scan={opened.nifti}
            labelMap={segmented?.nifti ?? null}
            labels={described.labels}
          />
        )}
        {segmented !== null && <Result segmenter={segmenter} />}
      </main>
    </>
  );
}

interface GivingProps {
  readonly channels: number;
  readonly give: (files: readonly GivenFile[]) => void;
  readonly isBusy: boolean;
  /** That the network may take. */
  readonly memoryBytes: number;
  readonly setMemoryBytes: (bytes: number) => void;
}

/** Where files are dropped or chosen, and what memory the network may take for them. */
function Giving({ channels, give, isBusy, memoryBytes, setMemoryBytes }: GivingProps) {
  const [isOver, setOver] = useState(false);
  const chosen = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void => {
    if (currentTarget.files !== null && currentTarget.files.length > 0) give(chosenFiles(currentTarget.files));
    // The same file may be chosen again.
    currentTarget.value = '';
  };
  return (
    <section aria-labelledby="giving">
      <h2 id="giving">Give a scan</h2>
      <fieldset
        aria-label="Drop a scan here"
        class={isOver ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (event.dataTransfer !== null) void droppedFiles(event.dataTransfer).then(give);
        }}
      >
        <p>
          Drop a NIfTI file (.nii, .nii.gz) or the folder of a DICOM series here
          {channels > 1 &&
            `, with its ${channels} channels in one file or in files called CASE_0000, CASE_0001 and so on`}
          .
        </p>
        <div class="tools">
          <label class="file">
            Choose files <input type="file" multiple onChange={chosen} />
          </label>
          <label class="file">
            Choose a folder <input type="file" onChange={chosen} {...{ webkitdirectory: true }} />
          </label>
          <label>
            memory for the network, MiB{' '}
            <input
              type="number"
              min="0"
              step="any"
              max={mostBytes / 2 ** 20}
              value={Number((memoryBytes / 2 ** 20).toPrecision(4))}
              disabled={isBusy}
              onChange={({ currentTarget: { valueAsNumber: wanted } }) => {
                if (wanted > 0) setMemoryBytes(Math.min(mostBytes, wanted * 2 ** 20));
              }}
            />
          </label>
        </div>
      </fieldset>
    </section>
  );
}

interface ScanProps {
  readonly segmenter: Segmenter;
}

/** What was read, what segmenting it takes, and the button that begins. */
function Scan({ segmenter }: ScanProps) {
  const [engine, setEngine] = useState<Engine>('wasm');
  const { opened, busy, progress, segment, stop } = segmenter;
  if (opened === null) return null;
  const { name, size, spacing, channels, passes, cut, warnings } = opened;
  return (
    <section aria-labelledby="scan">
      <h2 id="scan">{name}</h2>
      <dl class="facts">
        <dt>size</dt>
        <dd>
          {size.join(' x ')} voxels of {spacing.map((value) => Number(value.toPrecision(3))).join(' x ')} mm
          {channels > 1 && `, ${channels} channels`}
        </dd>
        <dt>memory</dt>
        <dd>
          Segmenting it takes about {opened.memory} beside the scan itself and ONNX Runtime (some 200 MiB), in {passes}{' '}
          {passes === 1 ? 'pass' : 'passes'} of the network
          {cut !== null &&
            `, in tiles of ${cut.join(' x ')} voxels, for it does not fit at once: the smaller they are, the worse`}
          .
        </dd>
      </dl>
      {warnings.length > 0 && (
        <ul class="warnings">
          {warnings.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <div class="tools">
        <button type="button" class="strong" disabled={busy !== null} onClick={() => segment(engine)}>
          Segment
        </button>
        <label>
          by{' '}
          <select
            value={engine}
            onChange={({ currentTarget }) => setEngine(currentTarget.value === 'webgpu' ? 'webgpu' : 'wasm')}
          >
            <option value="wasm">processor (WebAssembly)</option>
            {'gpu' in navigator && <option value="webgpu">graphics card (WebGPU, on trial)</option>}
          </select>
        </label>
        {busy !== null && (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}
      </div>
      {progress !== null && (
        <progress aria-label="Passes of the network that are done" max={progress.total} value={progress.done} />
      )}
    </section>
  );
}

/** What was found, and how it is saved. */
function Result({ segmenter: { segmented, opened, busy, save } }: { readonly segmenter: Segmenter }) {
  if (segmented === null) return null;
  return (
    <section aria-labelledby="result">
      <h2 id="result">Result</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">label</th>
            <th scope="col" class="number">
              voxels
            </th>
            <th scope="col" class="number">
              ml
            </th>
          </tr>
        </thead>
        <tbody>
          {segmented.volumes.map(({ value, name, voxels, millilitres }) => (
            <tr key={value}>
              <td>{name}</td>
              <td class="number">{voxels}</td>
              <td class="number">{millilitres.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="tools">
        <button type="button" class="strong" disabled={busy !== null} onClick={() => save('nifti')}>
          Save as NIfTI
        </button>
        {opened?.isDicom && (
          <button type="button" disabled={busy !== null} onClick={() => save('dicom-seg')}>
            Save as DICOM Segmentation
          </button>
        )}
        <span>It took {segmented.seconds.toFixed(1)} s.</span>
      </div>
    </section>
  );
}
