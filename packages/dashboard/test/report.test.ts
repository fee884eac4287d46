import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportContent } from '../../ronasmis/src/report/content.ts';
import { writeReport } from '../../ronasmis/src/report/page.ts';
import { unet } from '../../ronasmis/test/architecture/unet.ts';
import { ARCHITECTURE, MICRO_ARCHITECTURE, reportContent } from '../../ronasmis/test/report/content.ts';
import { isThere, launch, openPage, screens, violationsOn, why } from './chromium.ts';
import { eventsOf, temporaryFolder } from './run-folders.ts';

const folder = await temporaryFolder();

/** Writes a report of a run like this one, and says where. */
async function reportOf(changes: Partial<ReportContent>): Promise<string> {
  await writeReport({ ...reportContent(12), events: eventsOf(12), ...changes, folder });
  return pathToFileURL(join(folder, 'report.html')).href;
}

const { report, run } = reportContent(1);
const gain = { found: 0.81, base: 0.8, differences: [{ what: 'dilation 2 at encoder level 0', without: 0.806 }] };
const warned = { run: { ...run, warnings: ['One scan is odd.'] }, report: { ...report, gain } };

/** Texts of the drawing that are not within their box, or cover another text of it. */
const misplaced = (page: Page): Promise<readonly (string | null)[]> =>
  page.locator('.u g:has(> .box)').evaluateAll((groups) =>
    groups.flatMap((group) => {
      const [box, ...texts] = [group.querySelector('.box') ?? group, ...group.querySelectorAll('text')].map((part) => ({
        text: part.textContent,
        rect: part.getBoundingClientRect(),
      }));
      const leaves = ({ rect }: typeof box): boolean =>
        rect.left < box.rect.left ||
        rect.right > box.rect.right - 2 ||
        rect.top < box.rect.top ||
        rect.bottom > box.rect.bottom;
      // Lines stand so near that they touch where there are no letters.
      const covers = ({ rect: one }: typeof box, { rect: other }: typeof box): boolean =>
        one.left < other.right && other.left < one.right && one.top + 4 < other.bottom && other.top + 4 < one.bottom;
      return texts
        .filter((one) => leaves(one) || texts.some((other) => other !== one && covers(one, other)))
        .map(({ text }) => text);
    }),
  );

describe.skipIf(!isThere)(`a report in a browser${why}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it('has all its parts, asks for nothing, and is small', async () => {
    const { page, wrong, asked } = await openPage(browser, await reportOf(warned));
    await page.locator('.memory tbody tr').first().waitFor();
    expect(await page.title()).toBe('Kid<neys> · RONASMIS');
    expect(await page.locator('h1, h2').allTextContents()).toEqual([
      ...['Kid<neys>', 'What the search gained', 'Curves', 'Architecture', 'Dice of every test case'],
      ...['Best, median and worst case', 'Cases', "The controller's mind", 'Children'],
      ...['Methods, for a paper', 'What it was told'],
    ]);
    const text = (await page.locator('main').textContent()) ?? '';
    for (const part of ['88.12 %', '88.93 %', '15 min 2 s', '1.26 M', '2.0 GiB', 'cpu, bf16', 'Posterior & <tail>'])
      expect(text).toContain(part);
    for (const part of ['not a medical device', 'One scan is odd.', '+0.40', 'proposed children of the macro space'])
      expect(text).toContain(part);
    await page.locator('.chart canvas').nth(3).waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(4);
    expect(await page.locator('.row .dot').count()).toBe(3 * 42);
    expect(await page.locator('.cases table').first().locator('tbody tr').count()).toBe(42);
    expect(await page.locator('.slice image').count()).toBe(9);
    expect(await page.locator('.slice .prediction').count()).toBeGreaterThan(9);
    expect(await page.locator('button', { hasText: 'look' }).count()).toBe(0);
    expect(wrong).toEqual([]);
    expect(asked).toEqual([]);
    expect((await stat(join(folder, 'report.html'))).size).toBeLessThan(1e6);
    await page.close();
  });

  it('draws the U: a box a level and part, an arrow for each addition, and all texts within their boxes', async () => {
    const network = { ...run.network, flat_levels: 2 };
    const { page } = await openPage(browser, await reportOf({ run: { ...run, network } }));
    await page.locator('.u').waitFor();
    expect(await page.locator('.u .box').count()).toBe(9);
    const arrows = (await page.locator('.u .skip title').allTextContents()).map((title) =>
      title.match(/\d/g)?.map(Number),
    );
    const added = ARCHITECTURE.decoder.flatMap(({ skips }, to) => skips.map((from) => [from, to]));
    expect(arrows.sort()).toEqual(added.sort());
    const poolings = await page.locator('.u .tick', { hasText: 'pool' }).allTextContents();
    expect(poolings).toEqual(['pool 1×2×2', 'pool 2×2×2', 'pool 2×2×2', 'pool 2×1×1']);
    expect(await page.locator('.u .label').allTextContents()).toContain('1×3×3 · dilation 1 · LeakyReLU');
    expect(await misplaced(page)).toEqual([]);
    // The test can fail: twice as large, they leave their boxes.
    await page.locator('.u .label').evaluateAll((labels) => {
      for (const label of labels) {
        label.removeAttribute('textLength');
        label.setAttribute('transform', 'scale(2)');
      }
    });
    expect(await misplaced(page)).not.toEqual([]);
    await page.close();
  });

  it('draws the cell of the micro space, with an arrow for each input and each loose end', async () => {
    const { page, wrong } = await openPage(browser, await reportOf({ architecture: MICRO_ARCHITECTURE }));
    await page.getByText('Its cell').waitFor();
    const cell = page.getByRole('img', { name: 'The cell of every level' });
    const from = await cell.locator('.skip').evaluateAll((paths) => paths.map((path) => path.getAttribute('class')));
    expect(from).toEqual([0, 0, 0, 1, 1, 0, 2, 3].map((level) => `skip level${level}`));
    expect(await cell.getByText('dilated 3x3x3 convolution').count()).toBe(1);
    expect(await misplaced(page)).toEqual([]);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('draws the network that it is joined with, and the cell of each', async () => {
    const coarse = { downsampling: [1, 2, 2] as const, network: { ...MICRO_ARCHITECTURE, patch: ARCHITECTURE.patch } };
    const { page, wrong } = await openPage(browser, await reportOf({ architecture: { ...ARCHITECTURE, coarse } }));
    await page.getByText('It sees scans downsampled by 1×2×2').waitFor();
    expect(await page.locator('.architecture h3').allTextContents()).toEqual(['The network beside it', 'Its cell']);
    expect(await page.locator('.u .box').count()).toBe(2 * 9 + MICRO_ARCHITECTURE.cell.length + 2);
    expect(await misplaced(page)).toEqual([]);
    expect(await violationsOn(page)).toEqual([]);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('of one network leaves out what there is none of', async () => {
    const settings = { ...run.settings, only_child: unet };
    const events = eventsOf(1).map(({ policy: _, best_scores: __, ...event }) => ({
      ...event,
      children: [],
      ...{ reward_mean: null, reward_max: null, reward_base: null, baseline: null, entropy: null },
    }));
    const nothing = { mean: null, classes: {}, cases: {} };
    const { page, wrong } = await openPage(
      browser,
      await reportOf({
        run: { ...run, settings, network: { ...run.network, channels: unet.features } },
        report: { ...report, test_dice: nothing, validation_dice: nothing },
        ...{ architecture: unet, events, examples: [] },
      }),
    );
    await page.getByText('No test case was segmented yet.').waitFor();
    expect(await page.locator('h2').allTextContents()).toEqual([
      ...['Curves', 'Architecture', 'Methods, for a paper', 'What it was told'],
    ]);
    expect(await page.locator('figcaption b').first().textContent()).toBe('Training loss');
    await page.locator('.chart canvas').waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(1);
    expect(await page.locator('.u .skip title').allTextContents()).toContain(
      'Encoder level 1 is joined to decoder level 1',
    );
    expect(await misplaced(page)).toEqual([]);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('draws a child that is chosen, and sorts the table of them', async () => {
    const { page } = await openPage(browser, await reportOf({}));
    await page.locator('.children tbody tr').first().waitFor();
    await page.locator('.scatter circle').first().click({ force: true });
    await page.locator('[data-drawn^="Child "]').waitFor();
    await page.getByRole('button', { name: 'Back to the best' }).click();
    await page.locator('[data-drawn="The architecture that was found"]').waitFor();
    await page.getByRole('button', { name: 'step', exact: true }).click();
    expect(await page.locator('.children tbody tr').first().locator('td').nth(1).textContent()).toBe('1');
    await page.getByRole('button', { name: 'Next' }).click();
    expect(await page.locator('.pager span').textContent()).toMatch(/^13 to 24 of /);
    await page.close();
  });

  it.each(screens)('is for everyone: $width pixels, $colorScheme', async ({ width, colorScheme }) => {
    const address = await reportOf(warned);
    const { page } = await openPage(browser, address, { viewport: { width, height: 850 }, colorScheme });
    await page.locator('.children tbody tr').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await violationsOn(page)).toEqual([]);
    await page.close();
  });

  it('prints on paper, light and without what only a screen can do, whatever the screen is', async () => {
    const { page } = await openPage(browser, await reportOf(warned), { colorScheme: 'dark' });
    await page.locator('.children tbody tr').first().waitFor();
    await page.emulateMedia({ media: 'print' });
    // An A4 page between its margins.
    await page.setViewportSize({ width: 688, height: 1000 });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    for (const hidden of ['.tools', '.pager', 'select', '.skip-link', 'details']) {
      expect(await page.locator(hidden).filter({ visible: true }).count(), hidden).toBe(0);
    }
    const tallest = await page
      .locator('figure, .u, .example')
      .evaluateAll((parts) => Math.max(...parts.map((part) => part.getBoundingClientRect().height)));
    expect(tallest).toBeLessThan(900);
    await page.close();
  });
});
