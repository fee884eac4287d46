// Makes the pictures of the README from a finished run: `node packages/dashboard/scripts/pictures.mjs [RUN]`, runs/quickstart of `npm start` without one.
// Needs a Chromium (RONASMIS_TEST_CHROMIUM names another than Debian's), and `script` of util-linux for what a terminal shows.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = join(root, 'packages/ronasmis/bin/ronasmis.mjs');
const run = resolve(process.argv[2] ?? join(root, 'runs/quickstart'));
const executablePath = process.env.RONASMIS_TEST_CHROMIUM ?? '/usr/bin/chromium';
const width = 1180;
/** Milliseconds: without a GPU, and beside other work, a browser takes long. */
const patience = 600_000;

/** @param {string} name */
const picture = (name) => join(root, 'docs', name);
/** @param {string} name */
const recordOf = (name) => JSON.parse(readFileSync(join(run, name), 'utf8'));

/**
 * Starts a verb that serves something, and gives its address.
 * @param {readonly string[]} words
 */
async function serving(...words) {
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise((tell) => createInterface({ input: child.stdout }).once('line', tell));
  return { address, stop: () => child.kill('SIGINT') };
}

/**
 * The top of a page, down to the end of an element.
 * @param {import('playwright-core').Page} page @param {string} name @param {string} last
 */
async function takeUntil(page, name, last) {
  const box = await page.locator(last).first().boundingBox();
  const height = Math.ceil((box?.y ?? 0) + (box?.height ?? 900)) + 16;
  await page.screenshot({ path: picture(name), fullPage: true, clip: { x: 0, y: 0, width, height } });
}

/** @param {import('playwright-core').Browser} browser */
async function open(browser) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: 'light' });
  page.setDefaultTimeout(patience);
  return page;
}

/** @param {import('playwright-core').Browser} browser */
async function takeReport(browser) {
  const page = await open(browser);
  await page.goto(pathToFileURL(join(run, 'report.html')).href);
  await page.locator('.memory tbody tr').first().waitFor();
  await takeUntil(page, 'report.png', '.architecture');
  await page.close();
}

/** @param {import('playwright-core').Browser} browser */
async function takePage(browser) {
  const { address, stop } = await serving('dashboard', run);
  const page = await open(browser);
  await page.goto(address);
  await page.locator('.choice canvas').first().waitFor();
  await page.locator('.memory tbody tr').first().waitFor();
  await page.locator('#viewer').scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: 'Segment this case' }).click();
  await page.locator('[data-place*="most is wrong"]').waitFor();
  await page.locator('#viewer').screenshot({ path: picture('volume.png') });
  await page.evaluate('scrollTo(0, 0)');
  await takeUntil(page, 'dashboard.png', 'section[aria-labelledby=mind]');
  await page.close();
  stop();
}

/** @param {import('playwright-core').Browser} browser @param {string} temporary */
async function takeSegmenter(browser, temporary) {
  const out = join(temporary, 'exported');
  spawnSync(process.execPath, [program, 'export', run, '--format', 'web', '--out', out], { stdio: 'inherit' });
  const { address, stop } = await serving('serve', out);
  const [name] = Object.keys(recordOf('report.json').test_dice.cases);
  const page = await open(browser);
  await page.goto(address);
  await page.locator('[data-state=waiting]').waitFor();
  const scan = join(recordOf('run.json').settings.data_set, 'imagesTr', `${name}.nii.gz`);
  await page.getByLabel('Choose files').setInputFiles(scan);
  await page.getByRole('button', { name: 'Segment', exact: true }).click();
  await page.locator('[data-shown="scan and segmentation"]').waitFor();
  await takeUntil(page, 'browser.png', 'section[aria-labelledby=result]');
  await page.close();
  stop();
}

/** What `show` prints, as a terminal shows it. @param {import('playwright-core').Browser} browser */
async function takeTerminal(browser) {
  const command = `${process.execPath} ${program} show ${run}`;
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
  const shown = stdout.replaceAll('\r', '').replaceAll(`${root}`, '').trimEnd();
  const page = await open(browser);
  await page.setContent(
    `<style>body{margin:0}pre{display:inline-block;margin:0;padding:18px 22px;background:#10151b;color:#dfe6ee;font:14px/1.45 "DejaVu Sans Mono",monospace}</style><pre>$ ronasmis show ${run.replace(root, '')}\n${inColours(shown)}</pre>`,
  );
  await page.locator('pre').screenshot({ path: picture('terminal.png') });
  await page.close();
}

/** Text with a terminal's colours as markup. @param {string} text */
function inColours(text) {
  const styles = {
    1: 'font-weight:700',
    2: 'opacity:.65',
    32: 'color:#7fd36b',
    33: 'color:#e6b422',
    36: 'color:#3fc4d2',
  };
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return escaped.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[(\\d+)m`, 'g'), (_, code) =>
    code in styles ? `<span style="${styles[code]}">` : '</span>',
  );
}

const temporary = mkdtempSync(join(tmpdir(), 'ronasmis-pictures-'));
const args = ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
const browser = await chromium.launch({ executablePath, headless: true, args });
try {
  await takeReport(browser);
  await takeTerminal(browser);
  await takePage(browser);
  await takeSegmenter(browser, temporary);
} finally {
  await browser.close();
  rmSync(temporary, { recursive: true, force: true });
}
