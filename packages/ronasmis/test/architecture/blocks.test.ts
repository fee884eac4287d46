import { expect, test } from 'vitest';
import { blockOf } from '../../src/architecture/blocks.ts';
import { microReference, reference } from '../network/peer.ts';

test('a level of the macro space has a block of its own, in the encoder and in the decoder', () => {
  const { child } = reference.children['dilated, with every activation'];
  for (const part of ['encoder', 'decoder'] as const) {
    child[part].forEach(({ dilation, activation }, level) => {
      expect(blockOf(child, part, level)).toEqual({ kind: 'convolutions', dilation, activation });
    });
  }
});

test('all levels of the micro space repeat the cell', () => {
  const { child } = microReference.children['every operation, of odd volumes'];
  for (const level of [0, 1, 2, 3]) {
    for (const part of ['encoder', 'decoder'] as const)
      expect(blockOf(child, part, level)).toEqual({ kind: 'cell', cell: child.cell });
  }
});
