import webgpuScript from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import webgpuBinary from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import wasmScript from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinary from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type { RunNetwork } from 'ronasmis/segmenter';
import type { Engine } from './messages.ts';
import { readNetwork } from './model.ts';

/** ONNX Runtime with the page's network, and which engine it computes by. */
export interface Runtime {
  readonly engine: Engine;
  readonly run: RunNetwork;
}

/** The files that ONNX Runtime loads by itself. */
const files = {
  wasm: { mjs: wasmScript, wasm: wasmBinary },
  webgpu: { mjs: webgpuScript, wasm: webgpuBinary },
} as const;

/** Loads ONNX Runtime for an engine, and the network into it. */
export async function openRuntime(engine: Engine): Promise<Runtime> {
  // The one for WebGPU is nine times as large: it is fetched by those alone who ask for it.
  const runtime = engine === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  runtime.env.logLevel = 'error';
  const { mjs, wasm } = files[engine];
  runtime.env.wasm.wasmPaths = { mjs: new URL(mjs, self.location.href), wasm: new URL(wasm, self.location.href) };
  // Threads share memory, which a page has where its server isolates it from all others, as `ronasmis serve` does.
  runtime.env.wasm.numThreads = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
  const session = await runtime.InferenceSession.create(new Uint8Array(await readNetwork()), {
    executionProviders: [engine],
  });
  return {
    engine,
    run: async (image, shape) => {
      const { logits } = await session.run({ image: new runtime.Tensor('float32', image, shape) });
      const values = await logits.getData();
      if (!(values instanceof Float32Array)) throw new TypeError(`ONNX Runtime gives logits as ${logits.type}.`);
      return values;
    },
  };
}
