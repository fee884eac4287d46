import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapeHtml, html } from '../../src/report/html.ts';

it('escapes text and numbers, keeps markup, joins lists', () => {
  const item = (text: string) => html`<li title="${text}">${text}</li>`;
  const list = html`<ul>${['a & b', '"<i>'].map(item)}</ul>${3}`;
  expect(list.markup).toBe(
    '<ul><li title="a &amp; b">a &amp; b</li><li title="&quot;&lt;i&gt;">&quot;&lt;i&gt;</li></ul>3',
  );
});

it('lets no text out of its place', () => {
  const restore = (text: string) =>
    text.replace(
      /&(lt|gt|quot|#39|amp);/g,
      (_, name) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[String(name)] ?? '',
    );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']/);
      expect(restore(escapeHtml(text))).toBe(text);
    }),
  );
});
