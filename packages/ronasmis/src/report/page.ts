import { writeRunFile } from '../run/run-folder.ts';
import { type ReportContent, tellReport } from './content.ts';
import { escapeHtml } from './html.ts';
import { filledTemplate, reportTemplate } from './template.ts';

/**
 * Writes `report.html` of a finished run: one self-contained page that requests nothing from anywhere, of the live page's components. Where the page is
 * not installed, nothing is written: what a run has found is worth more than its report.
 */
export async function writeReport(content: ReportContent): Promise<void> {
  const template = await reportTemplate();
  if (template === undefined) return;
  await writeRunFile(content.folder, 'report.html', renderReport(template, content));
}

/** The report in the page that is built for it. */
export function renderReport(template: string, content: ReportContent): string {
  const told = tellReport(content);
  return filledTemplate(template, `${escapeHtml(told.title)} · RONASMIS`, JSON.stringify(told));
}
