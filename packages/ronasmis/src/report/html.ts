/** A piece of markup that is safe to put into a page as it is. */
export type Html = { readonly markup: string };

/** What may stand in a template: text and numbers are escaped, markup is not, lists are joined. */
type Value = string | number | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for an element's content or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

/**
 * Template tag for HTML and SVG. Every value is escaped, unless it is markup made by this tag.
 * @example html`<p title="${name}">${text}</p>`
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = strings.map((text, i) => text + (i < values.length ? toMarkup(values[i]) : ''));
  return { markup: parts.join('') };
}

function toMarkup(value: Value): string {
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return 'markup' in value ? value.markup : value.map((part) => part.markup).join('');
}
