// Writes src/operations.ts: a typed face for every operation named in operations.txt, its types read off libtorch's schemas.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const types = {
  Tensor: 'Tensor',
  Scalar: 'number | boolean',
  number: 'number | boolean',
  int: 'number',
  SymInt: 'number',
  float: 'number',
  bool: 'boolean',
  str: 'string',
  Any: 'string',
  ScalarType: 'DataType',
  MemoryFormat: 'MemoryFormat',
  Device: 'Device',
};

/** What libtorch abbreviates, written out. */
const words = {
  self: 'input',
  dim: 'axis',
  dims: 'axes',
  dim0: 'firstAxis',
  dim1: 'secondAxis',
  start_dim: 'startAxis',
  end_dim: 'endAxis',
  keepdim: 'keepAxis',
  dtype: 'dataType',
  lr: 'learningRate',
  eps: 'epsilon',
  std: 'standardDeviation',
  src: 'source',
  ord: 'order',
  hx: 'state',
  default: 'defaultValue',
};

function written(name) {
  return words[name] ?? name.replace(/_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/**
 * `SymInt[3]? name=None` -> {name, type, hasDefault, nullable}. A single number may stand for a list of known length; what no value of
 * JavaScript can be given for has no type.
 */
function argument(text) {
  const match = /^([A-Za-z]+)(?:\([a-z!* |>-]*\))?(\?)?(?:\[(\d*)\])?(\?)? ([a-z_0-9]+)(?:=(.+))?$/.exec(text);
  if (!match) throw new Error(`The argument '${text}' is not understood.`);
  const [, base, itemNullable, size, listNullable, name, fallback] = match;
  const isList = size !== undefined;
  const item = types[base];
  let type = item;
  if (isList) {
    type = `readonly ${itemNullable ? `(${item} | null)` : item}[]`;
    if (size !== '') type = `number | ${type}`;
  }
  return {
    name: written(name),
    type,
    hasDefault: fallback !== undefined,
    nullable: Boolean(isList ? listNullable : itemNullable),
  };
}

/** Commas outside brackets part the arguments. */
function parts(text) {
  const found = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    if ('([{'.includes(text[i])) depth += 1;
    if (')]}'.includes(text[i])) depth -= 1;
    if (text[i] === ',' && depth === 0) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  found.push(text.slice(start));
  return found.map((part) => part.trim()).filter((part) => part !== '');
}

/**
 * By position go the arguments up to the first that may be left out or null, or that libtorch wants named, and behind them the axis.
 * All others are named, in one object.
 */
function split(texts) {
  const star = texts.indexOf('*');
  const list = texts.filter((text) => text !== '*').map(argument);
  const isAxis = ({ name }, i) => name === 'axis' && i !== star;
  const firstOption = list.findIndex((item, i) => (item.hasDefault || item.nullable || i === star) && !isAxis(item, i));
  return { list, positional: firstOption < 0 ? list.length : firstOption };
}

function declaration(name, full, schema) {
  const [operation, overload = ''] = full.split('.');
  const open = schema.indexOf('(');
  const arrow = schema.lastIndexOf(') -> ');
  const { list, positional } = split(parts(schema.slice(open + 1, arrow)));
  const returns = schema.slice(arrow + 5);
  const several = /\[\]|^\(Tensor.*,/.test(returns);
  const inPlace = returns === '()' || /^Tensor\([a-z]!\)$/.test(returns);
  const maker = inPlace ? 'voidOperation' : several ? 'tensorsOperation' : 'tensorOperation';

  const labels = list.slice(0, positional).map((item) => `${item.name}${item.hasDefault ? '?' : ''}: ${item.type}`);
  const options = list.slice(positional).filter(({ type }) => type !== undefined);
  const mayBeLeftOut = ({ hasDefault, nullable }) => hasDefault || nullable;
  if (options.length > 0) {
    const names = options.map((item) => item.name).join(', ');
    const fields = options.map((item) =>
      mayBeLeftOut(item) ? `readonly ${item.name}?: ${item.type} | undefined` : `readonly ${item.name}: ${item.type}`,
    );
    labels.push(`{ ${names} }: { ${fields.join('; ')} }${options.every(mayBeLeftOut) ? ' = {}' : ''}`);
  }
  const values = list.map(({ name, type, hasDefault, nullable }) => {
    if (type === undefined) return 'undefined';
    return nullable && !hasDefault && options.some((option) => option.name === name) ? `${name} ?? null` : name;
  });
  values.length = values.findLastIndex((value) => value !== 'undefined') + 1;
  return `/** \`${schema}\` */
export const ${name} = ${maker}('${operation}', '${overload}', (${labels.join(', ')}) => [${values.join(', ')}]);`;
}

/** The whole text of src/operations.ts. */
export function generate() {
  const native = createRequire(import.meta.url)(here('../build/ronasmis_libtorch.node'));
  const lines = readFileSync(here('operations.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const declarations = lines.map((line) => {
    const [name, full] = line.split(' ');
    const [operation, overload = ''] = full.split('.');
    return declaration(name, full, native.schema(native.find(operation, overload)));
  });
  return `// Generated by scripts/generate.mjs from libtorch's schemas: do not edit; change scripts/operations.txt instead.
// What an operation needs is given by position, as is the axis; what may be left out is named, in one object.
import { tensorOperation, tensorsOperation, voidOperation } from './operation.ts';
import type { DataType, Device, MemoryFormat, Tensor } from './tensor.ts';

${declarations.join('\n\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(here('../src/operations.ts'), generate());
