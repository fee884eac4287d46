import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer, Described, Engine, GivenFile, OpenedScan, Request } from './messages.ts';

type Segmented = Extract<Answer, { readonly kind: 'segmented' }>;

/** What the page knows. */
export interface SegmenterState {
  readonly described: Described | null;
  readonly opened: OpenedScan | null;
  readonly segmented: Segmented | null;
  /** What the worker is at, in a few words; null where it waits. */
  readonly busy: string | null;
  /** Passes of the network that are done, of all; null before the first. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly problem: string | null;
}

const nothing: SegmenterState = {
  described: null,
  opened: null,
  segmented: null,
  busy: 'Loading the page',
  progress: null,
  problem: null,
};

/** What the page can have done. */
export interface Segmenter extends SegmenterState {
  readonly open: (files: readonly GivenFile[], memoryBytes: number) => void;
  /** Opens the same files again, for another memory. */
  readonly reopen: (memoryBytes: number) => void;
  readonly segment: (engine: Engine) => void;
  readonly save: (format: 'nifti' | 'dicom-seg') => void;
  /** Ends what goes on. */
  readonly stop: () => void;
}

/** The worker that segments, and what it has said. */
export function useSegmenter(): Segmenter {
  const [state, setState] = useState(nothing);
  const worker = useRef<Worker | null>(null);
  const given = useRef<{ readonly files: readonly GivenFile[]; readonly memoryBytes: number } | null>(null);
  const ask = (request: Request, busy: string | null, before: Partial<SegmenterState> = {}): void => {
    setState((known) => ({ ...known, busy, problem: null, progress: null, ...before }));
    worker.current?.postMessage(request);
  };
  const start = (): void => {
    worker.current?.terminate();
    const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    started.addEventListener('message', ({ data }: MessageEvent<Answer>) => setState((known) => heard(known, data)));
    started.addEventListener('error', ({ message }) => {
      const sentence = `The page's worker has ended (${message || 'no reason is given'}). Reload the page.`;
      setState((known) => heard(known, { kind: 'problem', sentence }));
    });
    worker.current = started;
  };
  useEffect(() => {
    start();
    ask({ kind: 'describe' }, nothing.busy);
    return () => worker.current?.terminate();
  }, []);
  const open = (files: readonly GivenFile[], memoryBytes: number): void => {
    given.current = { files, memoryBytes };
    ask({ kind: 'open', files, memoryBytes }, 'Reading the scan', { opened: null, segmented: null });
  };
  const reopen = (memoryBytes: number): void => {
    if (given.current !== null) open(given.current.files, memoryBytes);
  };
  return {
    ...state,
    open,
    reopen,
    segment: (engine) => ask({ kind: 'segment', engine }, 'Loading the network', { segmented: null }),
    save: (format) => ask({ kind: 'save', format }, 'Writing the file'),
    stop: () => {
      start();
      if (given.current !== null) open(given.current.files, given.current.memoryBytes);
    },
  };
}

/** What is known once the worker has said something. */
function heard(known: SegmenterState, answer: Answer): SegmenterState {
  const done = { ...known, busy: null, progress: null };
  switch (answer.kind) {
    case 'described':
      return { ...done, described: answer };
    case 'opened':
      return { ...done, opened: answer };
    case 'progress':
      return { ...known, busy: 'Segmenting', progress: answer };
    case 'segmented':
      return { ...done, segmented: answer };
    case 'saved':
      download(answer.name, answer.bytes);
      return done;
    case 'problem':
      return { ...done, problem: answer.sentence };
  }
}

/** Has the browser keep a file. */
function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Once the browser has begun to write it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
