import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { writePhantomDataSet } from 'ronasmis/data';
import { readRun } from 'ronasmis/run';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isThere, launch, openPage, screens, violationsOn, why } from './chromium.ts';
import { serve, temporaryFolder } from './run-folders.ts';

const program = fileURLToPath(new URL('../../ronasmis/bin/ronasmis.mjs', import.meta.url));
const root = await temporaryFolder();
const run = join(root, 'run');

const stepsOn = async (page: Page): Promise<number> =>
  Number(await page.locator('.tile', { hasText: 'Controller steps' }).locator('b').textContent());

// A search of 15 s, and half a minute of a browser without a GPU.
describe.skipIf(!isThere)(`the page in a browser${why}`, () => {
  let browser: Browser;
  let searching: ChildProcess;
  let live: string;

  beforeAll(async () => {
    await writePhantomDataSet(join(root, 'Phantom'), { cases: 8, seed: 3 });
    const words = [
      'search',
      join(root, 'Phantom'),
      '--out',
      run,
      '--folds',
      '4',
      '--epochs',
      '4',
      '--children',
      '4',
      '--controller',
      'reinforce',
      '--dashboard',
    ];
    const started = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    searching = started;
    live = await new Promise((resolve) => createInterface({ input: started.stdout }).once('line', resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    searching?.kill();
  });

  it('follows a search that runs', async () => {
    expect(live).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { page, wrong } = await openPage(browser, live);
    const seen = new Set<number>();
    while (!seen.has(4) && searching.exitCode === null) {
      seen.add(await stepsOn(page));
      await page.waitForTimeout(100);
    }
    expect([...seen].filter((steps) => steps > 0).length).toBeGreaterThan(1);
    if (searching.exitCode === null) await new Promise((resolve) => searching.once('exit', resolve));
    expect(searching.exitCode).toBe(0);
    // Its server has gone with it, and it says so.
    await page.getByText("The page's server has ended").waitFor();
    expect(
      wrong.filter((text) => !text.includes('ERR_CONNECTION_REFUSED') && !text.includes('INCOMPLETE_CHUNKED')),
    ).toEqual([]);
    await page.close();
  }, 300_000);

  it('shows all of a finished run, without an error', async () => {
    const { address } = await serve(run);
    const { page, wrong } = await openPage(browser, address);
    await page.getByText('Finished', { exact: true }).waitFor();
    await page.getByText('How likely the policy finds each option').waitFor();
    await page.locator('.memory tbody tr').first().waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(4);
    expect(await page.locator('.choice canvas').count()).toBeGreaterThan(20);
    expect(await page.locator('.memory tbody tr').count()).toBe(5);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('redraws the architecture at a click on a point', async () => {
    const { address } = await serve(run);
    const { page } = await openPage(browser, address);
    await page.locator('[data-drawn="The architecture that was found"]').waitFor();
    await page.locator('.scatter circle').first().click({ force: true });
    await page.locator('[data-drawn^="Child "]').waitFor();
    await page.getByRole('button', { name: 'Back to the best' }).click();
    await page.locator('[data-drawn="The architecture that was found"]').waitFor();
    await page.close();
  });

  it('segments the worst case when asked to, and opens it where most is wrong', async () => {
    const { address, close } = await serve(run);
    const { page, wrong } = await openPage(browser, address);
    await page.locator('#viewer').scrollIntoViewIfNeeded();
    await page.locator('[data-place*="most labelled"]').waitFor();
    await page.getByRole('button', { name: 'Segment this case' }).click();
    await page.locator('[data-place*="most is wrong"]').waitFor();
    expect(await page.locator('.viewer canvas').count()).toBe(1);
    expect(wrong).toEqual([]);
    await page.close();
    await close();
    expect((await readdir(run)).filter((name) => name.includes('predict'))).toEqual([]);
  });

  it('has left a report that opens from the disk, and says what the page does', async () => {
    const file = join(run, 'report.html');
    expect((await stat(file)).size).toBeLessThan(10e6);
    const { page, wrong, asked } = await openPage(browser, pathToFileURL(file).href);
    await page.locator('.memory tbody tr').first().waitFor();
    const { report } = await readRun(run);
    expect(await page.locator('.big').textContent()).toContain((100 * (report?.test_dice.mean ?? 0)).toFixed(2));
    await page.locator('.chart canvas').nth(3).waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(4);
    await page.locator('.choice canvas').nth(20).waitFor();
    expect(await page.locator('.choice canvas').count()).toBeGreaterThan(20);
    expect(await page.locator('.slice image').count()).toBeGreaterThanOrEqual(2 * 3);
    expect(await page.locator('.methods').textContent()).toContain('The data set Phantom has 8 cases of 2 channels');
    await page.locator('.scatter circle').first().click({ force: true });
    await page.locator('[data-drawn^="Child "]').waitFor();
    expect(wrong).toEqual([]);
    expect(asked).toEqual([]);
    await page.close();
  });

  it.each(screens)('is for everyone: $width pixels, $colorScheme', async ({ width, colorScheme }) => {
    const { address } = await serve(run);
    const { page } = await openPage(browser, address, { viewport: { width, height: 850 }, colorScheme });
    await page.locator('.children tbody tr').first().waitFor();
    await page.locator('[data-drawn]').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await violationsOn(page)).toEqual([]);
    await page.close();
  });
});
