/** Options of Node with which a program and its threads run the packages' TypeScript: `node ...fromSource program.ts`. */
export const fromSource = ['--import', new URL('from-source.mjs', import.meta.url).href] as const;

/** Options with which threads alone do: in a process that runs tests, Vitest sees to the main thread. */
export const threadsFromSource = ['--import', new URL('threads-from-source.mjs', import.meta.url).href] as const;
