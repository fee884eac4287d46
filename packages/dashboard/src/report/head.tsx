import { percent, plural } from '../page/format.ts';
import { Tile, Warnings } from '../page/progress.tsx';
import type { ReportTold } from '../shared/messages.ts';

/** What a run has come to, at a glance. */
export function Head({ told: { title, lead, tested, tiles, state } }: { readonly told: ReportTold }) {
  return (
    <section aria-labelledby="title">
      <h1 id="title">{title}</h1>
      <p class="lead">{lead}</p>
      {tested === null ? <p class="quiet">No test case was segmented yet.</p> : <TestDice tested={tested} />}
      <dl class="tiles">
        {tiles.map((tile) => (
          <Tile key={tile.name} {...tile} />
        ))}
      </dl>
      <div class="notes">
        {state.warnings.length > 0 && <Warnings sentences={state.warnings} />}
        <p class="quiet">
          This is the result of research software: it is not a medical device, and nothing it writes is a diagnosis.
        </p>
      </div>
    </section>
  );
}

function TestDice({ tested: { dice, cases, classes } }: { readonly tested: NonNullable<ReportTold['tested']> }) {
  return (
    <div class="result">
      <p class="big">
        {percent(dice)}
        <small> %</small>
        <span>test Dice, {plural(cases, 'case')} never seen by the search</span>
      </p>
      <dl class={classes.length > 8 ? 'by-class many' : 'by-class'}>
        {classes.map(({ key, name, dice: ofClass }, at) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              <progress class={`class${at % 6}`} max={1} value={ofClass} aria-label={`Test Dice of ${name}`} />
              <b>{percent(ofClass)}</b>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
