import { expect, test } from 'vitest';
import { ELEMENTS, parserTag, tagOf } from '../../src/formats/dicom-dictionary.ts';
import { dicomFixtures } from './dicom-fixtures.ts';

test("every element has the tag and the type of pydicom's dictionary", () => {
  // Pixels of one bit may be of either type (part 5, annex A.2).
  const expected = dicomFixtures.dictionary.map(([keyword, tag, type]) => [
    keyword,
    tag,
    type.replace('OB or OW', 'OB'),
  ]);
  expect(ELEMENTS).toEqual(expected);
});

test('elements stand by increasing tag, as in a file', () => {
  const tags = ELEMENTS.map(([, tag]) => tag);
  expect(tags).toEqual(tags.toSorted((one, other) => one - other));
  expect([tagOf('Rows'), parserTag('Rows'), parserTag('PixelData')]).toEqual([0x00280010, 'x00280010', 'x7fe00010']);
});
