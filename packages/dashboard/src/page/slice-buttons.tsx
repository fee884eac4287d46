/** Buttons that go through a volume slice by slice. @param move goes so many slices up */
export function SliceButtons({ move }: { readonly move: (slices: number) => void }) {
  return (
    <fieldset class="buttons" aria-label="Slice">
      <button type="button" aria-label="One slice down" onClick={() => move(-1)}>
        −
      </button>
      <button type="button" aria-label="One slice up" onClick={() => move(1)}>
        +
      </button>
    </fieldset>
  );
}
