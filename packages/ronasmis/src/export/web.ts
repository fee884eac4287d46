import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { codeOf, UserError } from '../base/errors.ts';
import { isThere, makeFolder, readBytes, writeAtomically } from '../base/files.ts';
import { requireReplaceable } from '../data/outputs.ts';
import { loadModel, type Model } from '../inference/model.ts';
import { requireApartFromRun } from '../inference/scans.ts';
import { runKey } from '../run/run-key.ts';
import { segmentingSchema } from '../run/run-record.ts';
import { type Check, checkOnnx } from './check.ts';
import { encodeOnnx } from './model.ts';

/** What is exported as a page, and where to. */
export interface ExportWebOptions {
  /** Run folder of a finished search. */
  readonly run: string;
  /** Folder for the page. */
  readonly out: string;
  /** Whether files that are there are replaced though this run has not made them; not where it is left out. */
  readonly overwrite?: boolean;
}

/** A page that segments scans by a network. */
export interface ExportedPage {
  /** Its folder. */
  readonly output: string;
  readonly files: number;
  readonly bytes: number;
  readonly check: Check;
}

/** The files that make the page this network's, beside those that all such pages have. */
const [networkFile, modelFile] = ['model.onnx', 'model.json'];

/**
 * Writes a page that segments scans in a browser: its scripts, ONNX Runtime's WebAssembly, the network as `exportOnnx` writes it, and what has to
 * be known of the run. Nothing of the data set's scans is in it.
 *
 * @throws UserError for a run that has not finished, a folder that cannot be written to or holds something else, or where the page is not
 *   installed; an error where the network and ours disagree
 */
export async function exportWeb({ run, out, overwrite = false }: ExportWebOptions): Promise<ExportedPage> {
  const model = await loadModel(run, 'cpu');
  await requireApartFromRun(out, model.run);
  const onnx = encodeOnnx(model);
  const files = new Map([...(await pageFiles()), [networkFile, onnx], [modelFile, describe(model)]]);
  const outputs = [...files.keys()].map((name) => join(out, name));
  const inputs = (await readdir(run)).map((name) => join(run, name));
  const contents = new Map([...files].map(([name, bytes]) => [join(out, name), bytes]));
  const isOwn = async (file: string): Promise<boolean> =>
    Buffer.from(contents.get(file) ?? []).equals(await readBytes(file));
  await requireReplaceable(outputs, { isOwn, overwrite, inputs });
  await makeFolder(out);
  const check = await checkOnnx(onnx, model);
  for (const [file, bytes] of contents) {
    await makeFolder(dirname(file));
    await writeAtomically(file, bytes);
  }
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  return { output: out, files: files.size, bytes, check };
}

/** What the page has to know of the run, as JSON. */
function describe({ architecture, run, cleaned }: Model): Uint8Array {
  const known = { key: runKey(run), architecture, run: segmentingSchema.parse(run), cleaned };
  return new TextEncoder().encode(`${JSON.stringify(known, null, 2)}\n`);
}

/** The built page, by the names of its files in its folder. @throws UserError where it is not installed, or not built */
async function pageFiles(): Promise<readonly (readonly [string, Uint8Array])[]> {
  const folder = dirname(pagePath());
  if (!(await isThere(join(folder, 'index.html'))))
    throw new UserError("The page that segments was not built: type 'npm run setup' in the checkout.");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const read = async (file: string) => [file.slice(folder.length + 1), await readBytes(file)] as const;
  return Promise.all(names.toSorted().map(read));
}

function pagePath(): string {
  try {
    return createRequire(import.meta.url).resolve('@ronasmis/dashboard/segmenter');
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new UserError("The page that segments is not installed: type 'npm install @ronasmis/dashboard'.");
  }
}
