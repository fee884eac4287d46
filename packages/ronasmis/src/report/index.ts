/**
 * What a page shows of a run: an architecture level by level, what its features take, its choices in words, and figures as people write them. Loads no libtorch.
 *
 * @module ronasmis/report
 */
export { type Cell, looseEnds, operations, sourceName } from '../architecture/cell.ts';
export { dimensionsOf, howToGoOn, kindOf } from '../run/run-record.ts';
export { choicesInWords } from '../space/words.ts';
export { featureBytes, type LevelBytes } from './feature-bytes.ts';
export { formatBytes, formatCount, formatDice, formatSeconds, plural } from './format.ts';
export { type Level, levelsOf, type NetworkShape } from './levels.ts';
export { flatten } from './tables.ts';
export { caseTables } from './told/case-tables.ts';
export { scatterPoints } from './told/children.ts';
export { drawBest, drawChildOf } from './told/drawing.ts';
export { type Known, taken, unknown } from './told/known.ts';
export type * from './told/messages.ts';
export { recordSections } from './told/record-sections.ts';
export { mostRows, rowOf, thin } from './told/rows.ts';
export { stateOf } from './told/run-state.ts';
