import type { ComponentChildren } from 'preact';

interface Props {
  /** What is in it, for who does not see it. */
  readonly name: string;
  readonly isLong?: boolean;
  readonly children: ComponentChildren;
}

/** What is wider, or longer, than its place: scrolled by the keyboard as well, for which it takes the focus. */
export function Scroll({ name, isLong = false, children }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a section is a card of the page.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus it can't be scrolled by the keyboard.
    <div class={isLong ? 'scroll long' : 'scroll'} tabIndex={0} role="region" aria-label={name}>
      {children}
    </div>
  );
}
