import { expect, test } from 'vitest';
import { decodeText } from '../../src/formats/dicom-text.ts';
import { dicomFixtures } from './dicom-fixtures.ts';

test.each(dicomFixtures.texts)('a text in %j', (sets, bytes, text) => {
  expect(decodeText(Buffer.from(bytes, 'base64'), sets)).toBe(text);
});

test('without a character set, bytes above ASCII are taken for Latin-1', () => {
  expect(decodeText(Buffer.from('Müller', 'latin1'), '')).toBe('Müller');
  expect(decodeText(new Uint8Array(), '')).toBe('');
});

test('an unknown character set, and one that is switched to within a text', () => {
  expect(decodeText(Buffer.from('Doe'), 'ISO_IR 999')).toBe(undefined);
  expect(decodeText(Buffer.from('Doe\u001b(Zx'), '\\ISO 2022 IR 87')).toBe(undefined);
  expect(decodeText(Buffer.from('Doe\u001b'), '')).toBe(undefined);
});
