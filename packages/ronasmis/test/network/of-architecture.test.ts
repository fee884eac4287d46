import { expect, it } from 'vitest';
import type { CellsUNet } from '../../src/architecture/cells.ts';
import { cellsOf, operationsFrom } from '../../src/architecture/cells.ts';
import { networkOf, parametersOf } from '../../src/network/of-architecture.ts';
import { elementCount } from '../../src/network/parameters.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import { unet } from '../architecture/unet.ts';
import { narrow, reference } from './peer.ts';

const child = reference.children['the base'].child;
const { patch, batch, features, kernels, strides } = unet;
const cells: CellsUNet = {
  kind: 'cells',
  ...{ patch, batch, features, kernels, strides },
  cells: cellsOf(({ cell, source }) => operationsFrom(cell, source)[1]),
};

it.each([child, unet, cells, { ...cells, kind: 'open_cells' as const, cells: undefined }])(
  'an architecture of any kind is a network of its channels and classes: %#',
  (architecture) => {
    const { inputChannels, classes, parameters } = networkOf(architecture, narrow);
    expect([inputChannels, classes]).toEqual([narrow.inputChannels, narrow.classes]);
    expect(elementCount(parameters)).toBeGreaterThan(0);
  },
);

it('open cells have the weights of all that they may become', () => {
  const open = { ...unet, kind: 'open_cells' as const };
  const names = new Set(parametersOf([open], narrow, defaultRecipe.network).map(({ name }) => name));
  const found = networkOf(cells, narrow);
  expect([...found.parameters, ...found.auxiliaryParameters].filter(({ name }) => !names.has(name))).toEqual([]);
});
