import { expect, test } from 'vitest';
import { blockOf } from '../../src/architecture/blocks.ts';
import { microReference, reference } from '../network/peer.ts';

test('a level of the macro space has a block of its own, in the encoder and in the decoder', () => {
  const { child } = reference.children['dilated, with every activation'];
  for (const part of ['encoder', 'decoder'] as const) {
    child[part].forEach(({ dilation, activation }, level) => {
      expect(blockOf(child, part, level)).toEqual({
        kind: 'convolutions',
        dilation,
        activation,
        convolutions: 2,
        residual: false,
      });
    });
  }
});

test('says how many convolutions it has, and whether it has a shortcut, where these are not as usual', () => {
  const { child } = reference.children['dilated, with every activation'];
  const [first, ...others] = child.encoder;
  const changed = { ...child, encoder: [{ ...first, convolutions: 3, residual: true } as const, ...others] };
  expect(blockOf(changed, 'encoder', 0)).toMatchObject({ convolutions: 3, residual: true });
});

test('all levels of the micro space repeat the cell', () => {
  const { child } = microReference.children['every operation, of odd volumes'];
  for (const level of [0, 1, 2, 3]) {
    for (const part of ['encoder', 'decoder'] as const)
      expect(blockOf(child, part, level)).toEqual({ kind: 'cell', cell: child.cell });
  }
});
