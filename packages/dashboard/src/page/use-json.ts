import { useEffect, useRef, useState } from 'preact/hooks';

/** What an address gives, or why nothing. */
export interface Answer<T> {
  readonly value: T | null;
  readonly problem: string | null;
}

/** Milliseconds between two answers of an address, however often what it tells of changes. */
const pause = 1500;

/** What is at an address of this server. @throws an Error with the server's sentence */
export async function fetchJson<T>(address: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(address, options);
  const content = await response.json();
  if (!response.ok) throw new Error(content.error ?? 'The server does not answer.');
  return content;
}

/** What is at an address now, asked for again whenever `version` grows; what was there before stays until then. */
export function useJson<T>(address: string | null, version: number): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, problem: null });
  const wanted = useRef(version);
  const wake = useRef(() => {});
  useEffect(() => {
    wanted.current = version;
    wake.current();
  }, [version]);
  useEffect(() => {
    if (address === null) return undefined;
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      let told: number | undefined;
      while (!abort.signal.aborted) {
        if (told === wanted.current)
          await new Promise<void>((resolve) => {
            wake.current = resolve;
          });
        told = wanted.current;
        const found = await fetchJson<T>(address, { signal: abort.signal }).then(
          (value) => ({ value, problem: null }),
          (error: unknown) => ({ problem: reasonOf(error) }),
        );
        if (abort.signal.aborted) return;
        setAnswer((before) => ({ ...before, ...found }));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    };
    void ask();
    return () => {
      abort.abort();
      wake.current();
    };
  }, [address]);
  return answer;
}

/** What an error says. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
