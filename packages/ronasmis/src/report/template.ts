import { createRequire } from 'node:module';
import { codeOf } from '../base/errors.ts';
import { readIfThere } from '../run/read-run.ts';

/** The page, in the package of the dashboard. */
const builtPage = '@ronasmis/dashboard/report';
/** Where the page has what it tells, which is empty as long as nobody has written it. */
const [before, after] = ['<script id="told" type="application/json">', '</script>'] as const;
const titleOf = (title: string): string => `<title>${title}</title>`;

/** The page of a report without what it tells. Undefined where it is not installed or not built: a run ends well all the same. */
export async function reportTemplate(where = builtPage): Promise<string | undefined> {
  const path = pathOf(where);
  const page = path === undefined ? undefined : await readIfThere(path);
  return page?.includes(before + after) ? page : undefined;
}

/** A sentence for who begins a run that will have no report; none where it will have one. */
export async function reportWarnings(where = builtPage): Promise<readonly string[]> {
  if ((await reportTemplate(where)) !== undefined) return [];
  return [
    "The page of reports is not installed, so this run will have no report.html: type 'npm install @ronasmis/dashboard', or 'npm run setup' in the checkout.",
  ];
}

/** @param told as JSON @param title with nothing in it that markup means something by */
export function filledTemplate(template: string, title: string, told: string): string {
  // In a script element `<` is dangerous alone: it may end it, or begin a comment. In JSON it stands in texts alone, where it may be written so.
  const json = told.replaceAll('<', '\\u003c');
  return template
    .replace(titleOf('RONASMIS'), () => titleOf(title))
    .replace(before + after, () => `${before}${json}${after}`);
}

/** The path of what a package exports by this name; undefined where it is not installed. */
function pathOf(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    if (['MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
