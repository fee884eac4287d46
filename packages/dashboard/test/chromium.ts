import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = [
  process.env.RONASMIS_TEST_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = places.find((path) => path !== undefined && existsSync(path));
/** Why tests in a browser are skipped, for their names; empty where they are not. */
export const why =
  executablePath === undefined ? " (skipped: install Debian's chromium, or name one by RONASMIS_TEST_CHROMIUM)" : '';
/** Whether there is a browser. */
export const isThere = executablePath !== undefined;

const args = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // WebGL without a GPU.
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** A browser without a window. @param more of its options */
export const launch = (...more: readonly string[]): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath ?? '', headless: true, args: [...args, ...more] });

/** A page, all that went wrong on it, and what it has asked for beside itself. */
export async function openPage(browser: Browser, address: string, options: Parameters<Browser['newPage']>[0] = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const wrong: string[] = [];
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
  });
  const asked: string[] = [];
  page.on('request', (request) => {
    // What comes as data is in the page itself.
    if (!request.isNavigationRequest() && !request.url().startsWith('data:')) asked.push(request.url());
  });
  page.setDefaultTimeout(600_000);
  await page.goto(address);
  return { page, wrong, asked };
}

/** What axe-core finds. It comes by the debugger: the page itself would not let it in. */
export async function violationsOn(page: Page): Promise<unknown> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  return page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
  );
}

/** What a page is looked at with, that is to be for everyone. */
export const screens = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const;
