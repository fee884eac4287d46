import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { exportOnnx } from '../../src/export/export.ts';
import { temporaryFolder } from '../formats/scans.ts';
import { macroChild, narrowModel, writeFinishedRun } from './models.ts';

// A runtime that computes something else.
vi.mock('onnxruntime-node', async (importOriginal) => {
  const { Tensor } = await importOriginal<typeof import('onnxruntime-node')>();
  const run = async ({ image }: Record<string, InstanceType<typeof Tensor>>) => {
    const [batch, , ...volume] = image.dims;
    const shape = [batch, 3, ...volume];
    const logits = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return { logits: new Tensor('float32', logits, shape) };
  };
  return { Tensor, InferenceSession: { create: async () => ({ run, release: async () => {} }) } };
});

it('leaves no file where ONNX Runtime disagrees', async () => {
  const root = await temporaryFolder();
  const run = await writeFinishedRun(root, narrowModel(macroChild));
  const out = join(root, 'out');
  await mkdir(out);
  await expect(exportOnnx({ run, out: join(out, 'model.onnx') })).rejects.toThrow(
    /^The exported network is not written, .* logits of up to [\d.]+ differ by up to [\d.]+, and [\d.]+ % of the labels/,
  );
  expect(await readdir(out)).toEqual([]);
});
