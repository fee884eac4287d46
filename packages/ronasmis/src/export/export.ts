import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../base/errors.ts';
import { makeFolder, readBytes, writeAtomically } from '../base/files.ts';
import { requireReplaceable } from '../data/outputs.ts';
import { loadModel } from '../inference/model.ts';
import { requireApartFromRun } from '../inference/scans.ts';
import { type Check, checkOnnx } from './check.ts';
import { encodeOnnx } from './model.ts';

/** Which search's network is exported, and where to. */
export interface ExportOptions {
  /** Run folder of a finished search. */
  readonly run: string;
  /** File for the network, such as `model.onnx`. */
  readonly out: string;
  /** Whether a file that is there is replaced though this run has not made it; not where it is left out. */
  readonly overwrite?: boolean;
}

/** A network that was written for other runtimes. */
export interface ExportedNetwork {
  readonly output: string;
  readonly bytes: number;
  readonly check: Check;
}

/**
 * Writes a search's network as an ONNX file, in float32, for volumes of any size; where onnxruntime-node is installed, only once that has
 * computed what this program computes.
 *
 * @throws UserError for a run that has not finished, a file that cannot be written or that something else has made; an error where the two
 *   disagree
 */
export async function exportOnnx({ run, out, overwrite = false }: ExportOptions): Promise<ExportedNetwork> {
  const model = await loadModel(run, 'cpu');
  if ((await stat(out).catch(() => undefined))?.isDirectory())
    throw new UserError(`${out} is a folder: give a file with --out, such as ${join(out, 'model.onnx')}.`);
  await requireApartFromRun(out, model.run);
  const onnx = encodeOnnx(model);
  const inputs = (await readdir(run)).map((name) => join(run, name));
  // The same network is written to the same bytes, so that what was added to it is told from it.
  const isOwn = async (file: string): Promise<boolean> => Buffer.from(onnx).equals(await readBytes(file));
  await requireReplaceable([out], { isOwn, overwrite, inputs });
  await makeFolder(dirname(out));
  const check = await checkOnnx(onnx, model);
  await writeAtomically(out, onnx);
  return { output: out, bytes: onnx.length, check };
}
