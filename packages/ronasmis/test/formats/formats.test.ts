import { expect, test } from 'vitest';
import { endingOf } from '../../src/formats/endings.ts';
import { formatByName, SCAN_ENDINGS } from '../../src/formats/formats.ts';
import { metaImage, nrrd } from '../../src/formats/itk.ts';
import { nifti } from '../../src/formats/nifti.ts';

test.each([
  ['a.nii.gz', '.nii.gz', nifti],
  ['A.NII.GZ', '.nii.gz', nifti],
  ['b.Nii', '.nii', nifti],
  ['c.NRRD', '.nrrd', nrrd],
  ['d.nhdr', '.nhdr', nrrd],
  ['c.1.MHA', '.mha', metaImage],
  ['Segmentation.SEG.NRRD', '.seg.nrrd', nrrd],
  ['a.seg.nii.gz', '.nii.gz', nifti],
  ['series.1', undefined, undefined],
  ['nii', undefined, undefined],
])('%s is read by its ending', (file, ending, format) => {
  expect(endingOf(`folder/${file}`)).toBe(ending);
  expect(formatByName(`folder/${file}`)).toBe(format);
});

test('no ending is of two formats', () => {
  expect(SCAN_ENDINGS).toEqual([...new Set(SCAN_ENDINGS)]);
  for (const ending of SCAN_ENDINGS) expect(endingOf(`a${ending}`)).toBe(ending);
});
