import { percent } from '../page/format.ts';
import type { ReportTold, SlicePicture } from '../shared/messages.ts';

interface Props {
  readonly examples: ReportTold['examples'];
  readonly outlined: readonly string[];
}

/** Slices of the best, the median and the worst test case, with the contours of the reference and of the network. */
export function Examples({ examples, outlined }: Props) {
  return (
    <section aria-labelledby="examples">
      <h2 id="examples">Best, median and worst case</h2>
      <p class="outlines">
        {outlined.map((name, at) => (
          <span key={name} class={`class${at % 6}`}>
            {name}
          </span>
        ))}
        <span class="white">reference</span>
      </p>
      {examples.map(({ rank, name, dice, slices }) => (
        <div key={rank} class="example">
          <h3>
            {rank}: {percent(dice)} % <span>{name}</span>
          </h3>
          <div class="slices">
            {slices.map((slice) => (
              <SliceView key={slice.number} slice={slice} of={name} />
            ))}
          </div>
        </div>
      ))}
    </section>
  );
}

/** Rows run from last to first: in the usual orientation (+y anterior) the patient's front is up. */
function SliceView({ slice, of }: { readonly slice: SlicePicture; readonly of: string }) {
  const { image, height, width, pixelAspect, number, count, contours } = slice;
  return (
    <figure class="slice">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        style={{ aspectRatio: `${width} / ${height * pixelAspect}` }}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Slice ${number} of case ${of}`}
      >
        <g transform={`matrix(1 0 0 -1 0 ${height})`}>
          <image href={image} width={width} height={height} preserveAspectRatio="none" />
          {contours.map(({ kind, index, path }) => (
            <path key={`${kind} ${index}`} class={`${kind} class${index % 6}`} d={path} />
          ))}
        </g>
      </svg>
      <figcaption>
        slice {number} of {count}
      </figcaption>
    </figure>
  );
}
