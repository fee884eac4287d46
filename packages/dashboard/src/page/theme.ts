import { useEffect, useState } from 'preact/hooks';

/** The value of a colour of the style sheet, for what is drawn by scripts. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Whether the reader prefers a dark page; what is drawn by scripts is drawn again when that changes. */
export function useDark(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const tell = (): void => setDark(query.matches);
    query.addEventListener('change', tell);
    return () => query.removeEventListener('change', tell);
  }, []);
  return isDark;
}

/** The width of an element, followed as it changes. */
export function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const observer = new ResizeObserver(([{ contentRect }]) => setWidth(Math.floor(contentRect.width)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return width;
}
