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
