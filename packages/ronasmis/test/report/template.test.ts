import { expect, it } from 'vitest';
import { filledTemplate, reportTemplate, reportWarnings } from '../../src/report/template.ts';

it('the page is found where the checkout was set up, and nothing is to be warned of', async () => {
  const template = (await reportTemplate()) ?? '';
  expect(template).toMatch(/^<!doctype html>/);
  expect(template.length).toBeLessThan(500_000);
  expect(await reportWarnings()).toEqual([]);
});

it('where it is not installed, a run is told so at its start, and ends without it', async () => {
  expect(await reportTemplate('@ronasmis/nowhere/report')).toBeUndefined();
  expect(await reportWarnings('@ronasmis/nowhere/report')).toEqual([
    expect.stringMatching(/^The page of reports is not installed, so this run will have no report\.html: type .*\.$/),
  ]);
  // A package that is there and has no such page: an older version.
  expect(await reportTemplate('@ronasmis/dashboard/nothing')).toBeUndefined();
});

it('its script and style stand in it, and its policy lets in no others', async () => {
  const template = (await reportTemplate()) ?? '';
  expect(template).not.toMatch(/<(script|link|img)[^>]+(src|href)="(?!data:)/);
  expect(template.match(/<script type="module">/g)).toHaveLength(1);
  expect(template).toContain("content=\"default-src 'none'; script-src 'sha256-");
  expect(template).toContain('<noscript>');
});

it('what is told stands in it as it is', async () => {
  const template = (await reportTemplate()) ?? '';
  const page = filledTemplate(template, 'Scans', JSON.stringify({ name: '</script><!--$&' }));
  expect(page).toContain('<title>Scans</title>');
  expect(page).toContain('{"name":"\\u003c/script>\\u003c!--$&"}</script>');
});
