/**
 * The thread in which ITK, compiled to WebAssembly, reads scans: it computes for as long as it reads, prints what it thinks of a
 * damaged file, and may run out of its memory.
 */
import { parentPort } from 'node:worker_threads';
import { codeOf } from '../base/errors.ts';

/** What the worker is sent: absolute paths without symbolic links, which WebAssembly does not follow. */
export type ItkRequest =
  | { readonly format: 'nrrd' | 'meta_image'; readonly file: string; readonly headerOnly: boolean }
  /** The slices of a DICOM series in their order. */
  | { readonly format: 'dicom'; readonly files: readonly string[] };

/** What it answers, one answer a request. */
export type ItkAnswer =
  /** `image` is undefined where the file is none of its format. */
  | { readonly kind: 'read'; readonly image: unknown }
  | { readonly kind: 'not_installed'; readonly packageName: string }
  | { readonly kind: 'failed' };

// Sentences about damaged files come from `itk.ts`; what ITK prints of them would stand among them.
for (const method of ['log', 'warn', 'error'] as const) console[method] = () => {};

async function read(request: ItkRequest): Promise<unknown> {
  if (request.format === 'dicom') {
    const { readImageDicomFileSeriesNode } = await import('@itk-wasm/dicom');
    const series = { inputImages: request.files, singleSortedSeries: true };
    return (await readImageDicomFileSeriesNode(series)).outputImage;
  }
  const { nrrdReadImageNode, metaReadImageNode } = await import('@itk-wasm/image-io');
  const readImage = request.format === 'nrrd' ? nrrdReadImageNode : metaReadImageNode;
  return (await readImage(request.file, { informationOnly: request.headerOnly })).image;
}

parentPort?.on('message', async (request: ItkRequest) => {
  const answer = (message: ItkAnswer) => parentPort?.postMessage(message);
  try {
    answer({ kind: 'read', image: await read(request) });
  } catch (error) {
    const isMissing = codeOf(error) === 'ERR_MODULE_NOT_FOUND';
    const packageName = request.format === 'dicom' ? '@itk-wasm/dicom' : '@itk-wasm/image-io';
    answer(isMissing ? { kind: 'not_installed', packageName } : { kind: 'failed' });
  }
});
