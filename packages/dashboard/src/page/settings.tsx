import type { RecordSections } from '../shared/messages.ts';

/** What a run was told to do, and what it runs on. */
export function Settings({ sections, folder }: { readonly sections: RecordSections; readonly folder: string }) {
  return (
    <section aria-labelledby="settings" class="told">
      <h2 id="settings">What it was told</h2>
      <p class="lead">
        All of <code>run.json</code> in <code class="path">{folder}</code>.
      </p>
      {sections.map(({ title, rows }) => (
        <details key={title}>
          <summary>{title}</summary>
          <table class="pairs">
            <tbody>
              {rows.map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ))}
    </section>
  );
}
