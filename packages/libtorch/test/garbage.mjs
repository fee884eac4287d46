// Calls every operation with a typed face with plausible and with absurd arguments: `node --import ../../../test/from-source.mjs garbage.mjs SEED CALLS`. Before each call the
// call is written to standard output, so that the last line names what ended the process, if anything does. The last line of a run
// that nothing ended is the counts of calls that succeeded and that were refused.
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, describeEngine, memory, noGradient, schema, scope, setThreads, tensor, to } from '../src/index.ts';

const [seed, calls] = process.argv.slice(2).map(Number);
let state = seed;
/** A whole number below `limit` (Numerical Recipes' linear congruential generator). */
function below(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}
const oneOf = (choices) => choices[below(choices.length)];

const dataTypes = ['float32', 'float64', 'bfloat16', 'float16', 'int64', 'int32', 'int16', 'uint8', 'bool'];
const absurd = [
  -1,
  0,
  1,
  2,
  3,
  -7,
  2 ** 45,
  -(2 ** 45),
  2 ** 53,
  2 ** 60,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0.5,
];

function randomTensor() {
  const shape = Array.from({ length: below(6) }, () => oneOf([0, 1, 1, 2, 2, 3, 4, 5]));
  const length = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, () => oneOf([...absurd, 1, 2, 3, 4]));
  const made = to(tensor(values, shape), { dataType: oneOf([...dataTypes, 'float32', 'float32', 'float32']) });
  if (made.dataType.includes('float') && below(3) === 0) made.requiresGradient = true;
  return made;
}
const number = () => (below(3) === 0 ? oneOf(absurd) : below(4));
const list = (item) => Array.from({ length: oneOf([0, 1, 2, 3, 3, 3, 5]) }, item);

const plausible = {
  Tensor: randomTensor,
  Scalar: number,
  number,
  int: number,
  SymInt: number,
  float: number,
  bool: () => below(2) === 0,
  str: () => oneOf(['', 'constant', 'none', 'x'.repeat(1000)]),
  Any: () => oneOf(['sum', 'avg', '', 'none', 'x'.repeat(1000)]),
  ScalarType: () => oneOf([...dataTypes, 'nonsense']),
  MemoryFormat: () => oneOf(['contiguous', 'preserve', 'channels_last', 'channels_last_3d', 'nonsense']),
  Device: () => oneOf(['cpu', 'cuda', 'cuda:99', 'meta', 'nonsense', '']),
};
const anything = () =>
  oneOf([undefined, null, ...absurd, true, 'text', [], [1, 2, 3], [null], [true], randomTensor(), list(randomTensor)]);

/** An argument for a piece of a schema such as `SymInt[3] stride=1`. */
function argument(text) {
  if (below(20) === 0) return anything();
  const [, type, optional, many] = /^([A-Za-z]+)(?:\([^)]*\))?(\??)(\[)?/.exec(text) ?? [];
  if ((optional !== '' || text.includes('=')) && below(3) === 0) return text.includes('=') ? undefined : null;
  const make = plausible[type];
  if (!make) return null;
  return many ? list(make) : make();
}

const operations = readFileSync(new URL('../scripts/operations.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' ')[1].split('.'))
  .map(([name, overload = '']) => ({ name, overload, schema: schema(name, overload) }));

function show(value) {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return typeof value === 'object' && value !== null ? `${value.dataType}[${value.shape}]` : String(value);
}

function attempt({ name, overload, schema: text }) {
  const inside = text.slice(text.indexOf('(') + 1, text.lastIndexOf(') -> '));
  const parts = inside.split(/, (?![^[(]*[\])])/).filter((part) => part !== '' && part !== '*');
  const values = parts.map(argument);
  if (below(20) === 0) values.pop();
  if (below(20) === 0) values.push(anything());
  writeSync(1, `${name}.${overload}(${values.map(show).join('; ')})\n`);
  const returned = below(2) === 0 ? call(name, overload, ...values) : noGradient(() => call(name, overload, ...values));
  // What comes back must be sound, too.
  for (const item of [returned].flat(2)) {
    if (typeof item !== 'object' || item === null || item.device !== 'cpu') continue;
    to(item, { dataType: 'float64' }).toArray();
    if (item.requiresGradient && item.shape.length === 0) item.backward();
  }
}

// aten::from_file makes files.
const folder = mkdtempSync(join(tmpdir(), 'garbage-'));
process.chdir(folder);
process.on('exit', () => rmSync(folder, { recursive: true }));

setThreads(1);
describeEngine();
const counts = { succeeded: 0, refused: 0, left: 0 };
for (let i = 0; i < calls; i += 1) {
  try {
    scope(() => attempt(oneOf(operations)));
    counts.succeeded += 1;
  } catch (error) {
    if (!(error instanceof Error) || error.message === '') throw new Error(`Not an error with a message: ${error}`);
    counts.refused += 1;
  }
}
counts.left = memory().tensors;
writeSync(1, `${JSON.stringify(counts)}\n`);
