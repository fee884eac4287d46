import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { renderReport, writeReport } from '../../src/report/page.ts';
import { reportContent, toldIn } from './content.ts';

const root = await mkdtemp(join(tmpdir(), 'ronasmis-report-'));
afterAll(() => rm(root, { recursive: true }));

const template = '<title>RONASMIS</title><script id="told" type="application/json"></script><p>$& stays</p>';

it('the page has what is told in its place, and nothing of it can end the script or be markup', () => {
  const content = reportContent(2);
  const page = renderReport(template, content);
  expect(page).toMatch(/^<title>Kid&lt;neys&gt; · RONASMIS<\/title>/);
  expect(page.endsWith('</script><p>$& stays</p>')).toBe(true);
  expect(page.match(/</g)).toHaveLength(6);
  expect(toldIn(page)).toMatchObject({ title: 'Kid<neys>', outlined: ['Anterior', 'Posterior & <tail>'] });
});

it('a report is written into its run folder, whole and self-contained', async () => {
  await writeReport({ ...reportContent(3), folder: root });
  const page = await readFile(join(root, 'report.html'), 'utf8');
  expect(toldIn(page).rows).toHaveLength(3);
  expect(page).toContain('Content-Security-Policy');
});
