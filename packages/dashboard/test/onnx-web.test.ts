import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, normal } from '../../ronasmis/src/base/random.ts';
import { loadRuntime } from '../../ronasmis/src/export/check.ts';
import { encodeOnnx } from '../../ronasmis/src/export/model.ts';
import type { Model } from '../../ronasmis/src/inference/model.ts';
import { macroChild, narrowModel } from '../../ronasmis/test/export/models.ts';
import { narrow, reference } from '../../ronasmis/test/network/peer.ts';
import { references, withWeights } from '../../ronasmis/test/network/unet-reference.ts';
import { randomChildren } from '../../ronasmis/test/space/walk.ts';
import { serveFiles } from '../src/server/files.ts';
import type { LoopbackServer } from '../src/server/listen.ts';
import { isThere, launch, openPage, why } from './chromium.ts';

const [randomChild] = fc.sample(randomChildren('macro', [40, 40, 40], narrow), { numRuns: 1, seed: 3 });
const [[unetName, { architecture: unet }]] = Object.entries(references).filter(([name]) => name.includes('residual'));

/** Networks with every operation that children and U-Nets have, on volumes that their poolings do not divide. */
const models: Readonly<Record<string, Model>> = {
  'the base child': narrowModel(reference.children['the base'].child),
  'a random child': narrowModel(randomChild),
  [`a U-Net ${unetName}`]: {
    ...withWeights(unet),
    architecture: unet,
    run: narrowModel(macroChild).run,
    cleaned: [],
  },
};
const shapes = {
  wasm: [
    [1, 2, 21, 33, 19],
    [1, 2, 32, 18, 27],
  ],
  webgpu: [[1, 2, 17, 18, 19]],
} as const;

const imageOf = (shape: readonly number[]): Float32Array => {
  const random = createRandom(1);
  return Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => normal(random));
};
const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

/** What ONNX Runtime makes of an image in a page, as base64. */
const runInPage = `async ({ module, engine, model, image, shape }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const runtime = await import(module);
  runtime.env.wasm.numThreads = 1;
  const session = await runtime.InferenceSession.create(bytes(model), { executionProviders: [engine] });
  const tensor = new runtime.Tensor('float32', new Float32Array(bytes(image).buffer), shape);
  const { logits } = await session.run({ image: tensor });
  const values = new Uint8Array((await logits.getData()).buffer);
  await session.release();
  return btoa(Array.from(values, (byte) => String.fromCharCode(byte)).join(''));
}`;

async function logitsInPage(page: Page, engine: 'wasm' | 'webgpu', model: string, shape: readonly number[]) {
  const given = { module: `/ort.${engine}.bundle.min.mjs`, engine, model, image: base64(imageOf(shape)), shape };
  const found: unknown = await page.evaluate(`(${runInPage})(${JSON.stringify(given)})`);
  const bytes = Uint8Array.from(Buffer.from(String(found), 'base64'));
  return new Float32Array(bytes.buffer);
}

async function logitsInNode(model: Uint8Array, shape: readonly number[]): Promise<readonly number[]> {
  const runtime = await loadRuntime();
  const session = await runtime.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const { logits } = await session.run({ image: new runtime.Tensor('float32', imageOf(shape), shape) });
  return Array.from(logits.data, Number);
}

describe.skipIf(!isThere)(`an exported network in a browser's ONNX Runtime${why}`, () => {
  let browser: Browser;
  let server: LoopbackServer;
  let page: Page;
  beforeAll(async () => {
    server = await serveFiles({ folder: dirname(createRequire(import.meta.url).resolve('onnxruntime-web')), port: 0 });
    browser = await launch('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan');
    ({ page } = await openPage(browser, `${server.address}ort.wasm.bundle.min.mjs`));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function expectSame(engine: 'wasm' | 'webgpu', model: Model): Promise<void> {
    const onnx = encodeOnnx(model);
    for (const shape of shapes[engine]) {
      const [found, expected] = [
        await logitsInPage(page, engine, base64(onnx), shape),
        await logitsInNode(onnx, shape),
      ];
      const largest = expected.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
      const difference = expected.reduce((most, logit, i) => Math.max(most, Math.abs(logit - found[i])), 0);
      expect(found.length).toBe(expected.length);
      expect(largest).toBeGreaterThan(0.1);
      expect(difference / largest).toBeLessThan(1e-4);
    }
  }

  it.each(Object.entries(models))(
    'gives the logits that onnxruntime-node gives, by WebAssembly: %s',
    async (_name, model) => {
      await expectSame('wasm', model);
    },
    600_000,
  );

  it.for(Object.entries(models))(
    'by WebGPU too, where the browser has an adapter: %s',
    { timeout: 600_000 },
    async ([, model], { skip }) => {
      const asked = await page.evaluate('navigator.gpu?.requestAdapter().then((one) => one !== null) ?? false');
      skip(asked !== true, 'this Chromium has no adapter of WebGPU');
      await expectSame('webgpu', model);
    },
  );
});
