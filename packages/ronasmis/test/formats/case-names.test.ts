import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { byCaseName, caseName, caseNames, counterpartNames } from '../../src/formats/case-names.ts';

describe('the name of a case', () => {
  it.each([
    ['a.nii.gz', 'a'],
    ['A.NII.GZ', 'A'],
    ['b.Nii', 'b'],
    ['b.nii.GZ', 'b'],
    ['c.NRRD', 'c'],
    ['c.1.MHA', 'c.1'],
    ['Segmentation.seg.nrrd', 'Segmentation'],
    ['Segmentation.SEG.NRRD', 'Segmentation'],
    ['a.seg.nii.gz', 'a.seg'],
    ['series.1', 'series.1'],
  ])('%s', (file, name) => {
    expect(caseName(`folder/${file}`)).toBe(name);
  });

  it('has its accents composed, wherever it was stored', () => {
    expect(caseName('Größe é.nii.gz'.normalize('NFD'))).toBe('Größe é'.normalize('NFC'));
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['of files', ['x/a.nii.gz', 'y/b.nii', 'a/c.mha'], ['a', 'b', 'c']],
    ['of patients', ['d/P1/imaging.nii.gz', 'd/P2/imaging.nii.gz', 'd/P10/imaging.nii'], ['P1', 'P2', 'P10']],
    ['of time points', ['P1/t0/i.nii', 'P1/t1/i.nii', 'P2/t0/i.nii'], ['P1__t0', 'P1__t1', 'P2']],
    ['of sites', ['A/P1/scan/i.nii', 'B/P1/scan/i.nii'], ['A', 'B']],
    ['of several files a patient', ['P1/a.nii', 'P2/a.nii', 'P2/b.nii'], ['P1', 'P2__a', 'P2__b']],
    ['of different depths', ['a/i.nii', 'a/b/i.nii', 'a/c/i.nii'], ['i', 'b', 'c']],
    ['of folders of DICOM', ['P1/dicom', 'P2/dicom'], ['P1', 'P2']],
    [
      'that would run together',
      ['a/b_c.nii', 'a_b/c.nii', 'a/c.nii', 'd/x.nii', 'e/x.nii'],
      ['a__b_c', 'a_b', 'a__c', 'd', 'e'],
    ],
    [
      'that would run together in any case',
      ['a/b__c.nii', 'a/c.nii', 'a__b/c.nii', 'a__b/d.nii', 'x/c.nii'],
      ['a___b__c', 'a__c', 'a__b___c', 'a__b__d', 'x'],
    ],
    ['of one file twice', ['d/a.nii', 'd/a.nii.gz'], ['a', 'a']],
    ['of none', [], []],
  ])('is what differs in the paths: %s', (_, paths, names) => {
    expect(caseNames(paths)).toEqual(names);
    expect(caseNames(paths.map((path) => join('/somewhere', path)))).toEqual(names);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['one file', ['a.nii'], ['a']],
    ['files', ['a.nii', 'b.nii'], ['a', 'b']],
    ['one patient', ['P1/seg.nii'], ['P1']],
    ['patients with files of their own names', ['P1/scan_1.nii', 'P2/scan_2.nii'], ['P1', 'P2']],
    ['patients beside files', ['a.nii', 'P1/i.nii', 'P2/s/t/i.nii'], ['a', 'P1', 'P2']],
    ['a patient called like a file', ['P1.nii', 'P1/i.nii', 'P2/i.nii'], ['P1', 'P1__i', 'P2']],
    ['sites with files of their own names', ['A/a.nii', 'A/b.nii', 'B/c.nii'], ['a', 'b', 'c']],
    ['sessions of one patient', ['P1/s0/i.nii', 'P1/s1/i.nii'], ['P1__s0', 'P1__s1']],
    ['sessions of patients', ['P1/s0/i.nii', 'P1/s1/i.nii', 'P2/s0/i.nii'], ['P1__s0', 'P1__s1', 'P2']],
    ['one file twice', ['a.nii', 'a.nii.gz'], ['a', 'a']],
  ])('in a folder of %s', (_, paths, names) => {
    const folder = '/d/e';
    expect(
      caseNames(
        paths.map((path) => join(folder, path)),
        folder,
      ),
    ).toEqual(names);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['patients', ['P1/scan_1.nii', 'P2/scan_2.nii'], ['P1/seg.nii', 'P2/seg.nii']],
    ['patients and files that are called like them', ['P1/i.nii', 'P2/i.nii'], ['P1.nii', 'P2.nii']],
    ['patients and files that are called like theirs', ['P1/P1_ct.nii', 'P2/P2_ct.nii'], ['P1_ct.nii', 'P2_ct.nii']],
    ['files and one patient', ['P1.nii'], ['P1/seg.nii']],
    ['files and sites', ['a.nii', 'b.nii', 'c.nii'], ['A/a.nii', 'A/b.nii', 'B/c.nii']],
  ])('is that of the counterpart: %s', (_, ones, others) => {
    const of = (folder: string, paths: readonly string[]) => ({
      folder,
      paths: paths.map((path) => join(folder, path)),
    });
    const [names, counterparts] = counterpartNames(of('/x', ones), of('/y/z', others));
    expect(names).toEqual(counterparts);
  });

  it('is refused where two scans have it', () => {
    expect(() => byCaseName(['d/a.nii', 'd/a.NII.gz'])).toThrow('d/a.NII.gz: a.nii has the same name. Keep one');
  });
});
