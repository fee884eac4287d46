import type { MethodsPart } from '../shared/messages.ts';

/** How the run came to its result, to be copied into a paper. */
export function Methods({ parts }: { readonly parts: readonly MethodsPart[] }) {
  return (
    <section aria-labelledby="methods" class="methods">
      <h2 id="methods">Methods, for a paper</h2>
      <p class="lead">Ready to be copied; all constants stand below.</p>
      <p>
        {parts.map(({ about, text }) => (
          <span key={about}>
            <b>{about}.</b> {text}{' '}
          </span>
        ))}
      </p>
    </section>
  );
}
