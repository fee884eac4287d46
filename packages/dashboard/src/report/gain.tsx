import type { ReportTold } from '../shared/messages.ts';

/** What a search has gained over the base network that it began from, and by which choices. */
export function Gain({ gain: { text, worths } }: { readonly gain: NonNullable<ReportTold['gain']> }) {
  return (
    <section aria-labelledby="gain">
      <h2 id="gain">What the search gained</h2>
      <p class="lead">{text}</p>
      {worths.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">in place of the base network's</th>
              <th scope="col">points that it is worth</th>
            </tr>
          </thead>
          <tbody>
            {worths.map(([what, worth]) => (
              <tr key={what}>
                <th scope="row">{what}</th>
                <td class="number">{worth}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
