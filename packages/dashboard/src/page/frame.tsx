import type { ComponentChildren } from 'preact';

interface Props {
  /** Beside the name at the top. */
  readonly beside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** What every page of runs has around its content: a way past the top for the keyboard, and the name. */
export function Frame({ beside, children }: Props) {
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <span class="brand">RONASMIS</span>
        {beside}
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
