import { existsSync, readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = [process.env.RONASMIS_TEST_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** The Chromium to measure in; undefined where there is none. */
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));

/** How a page computes: by WebAssembly on the processor, or by WebGPU, which SwiftShader emulates on the processor where there is no GPU. */
export type Backend = 'wasm' | 'webgpu';

const options: Readonly<Record<Backend, readonly string[]>> = {
  wasm: [],
  webgpu: [
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    ...(hasGpu() ? [] : ['--use-webgpu-adapter=swiftshader']),
  ],
};

/** A browser without a window that knows this backend. */
export function launchChromium(backend: Backend = 'wasm'): Promise<Browser> {
  const args = ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', ...options[backend]];
  return chromium.launch({ executablePath: chromiumPath ?? '', headless: true, args });
}

/** Whether the system knows a device that draws. */
export function hasGpu(): boolean {
  return existsSync('/dev/dri') || existsSync('/dev/nvidia0');
}

/** The most bytes that processes of a browser have had in memory, added up; 0 where the system does not tell. */
export async function peakBytesOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo
    .filter(({ type }) => type === 'renderer' || type === 'GPU')
    .reduce((sum, { id }) => sum + peakBytes(id), 0);
}

function peakBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  const [, kibibytes = 0] = (existsSync(status) && /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, 'utf8'))) || [];
  return 1024 * Number(kibibytes);
}
