/** What is searched: the network around its blocks, as in the paper; the block that all levels repeat; or nothing at all. */
export const spaceNames = ['macro', 'micro', 'fixed'] as const;
/** What one of our spaces is called. */
export type SpaceName = (typeof spaceNames)[number];

/** Our space of this name; undefined where there is none. */
export const spaceCalled = (name: string): SpaceName | undefined => spaceNames.find((known) => known === name);
