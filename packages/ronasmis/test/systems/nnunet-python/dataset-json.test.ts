import { describe, expect, it } from 'vitest';
import { datasetJson, splits } from '../../../src/systems/nnunet-python/dataset-json.ts';

const labels = [
  { value: 0, name: 'background' },
  { value: 2, name: 'liver' },
  { value: 7, name: 'liver' },
  { value: 9, name: 'ignore' },
];

describe('datasetJson', () => {
  it('gives labels by class index, whatever their values and names are', () => {
    expect(datasetJson({ channels: ['CT', 'T1'], labels, regions: [] }, 12)).toEqual({
      channel_names: { 0: 'CT', 1: 'T1' },
      labels: { background: 0, '1 liver': 1, '2 liver': 2, '3 ignore': 3 },
      numTraining: 12,
      file_ending: '.nii.gz',
    });
  });

  it('has what is ignored behind the last class, as nnU-Net wants it', () => {
    const described = datasetJson({ channels: ['T1'], labels, regions: [], ignoredValue: 1 }, 3);
    expect(described.labels).toMatchObject({ ignore: 4 });
  });

  it('has regions painted over each other, the largest first, each by a class that the later ones do not have', () => {
    // As BraTS has them: labels 1, 2 and 4 in the files.
    const regions = [
      { name: 'enhancing', values: [4] },
      { name: 'whole', values: [1, 2, 4] },
      { name: 'core', values: [1, 4] },
    ];
    const files = [0, 1, 2, 4].map((value) => ({ value, name: `label ${value}` }));
    const described = datasetJson({ channels: ['T1'], labels: files, regions }, 3);
    expect(described.labels).toEqual({ background: 0, '1 whole': [1, 2, 3], '2 core': [1, 3], '3 enhancing': [3] });
    expect(described.regions_class_order).toEqual([2, 1, 3]);
  });

  it('paints a region whose classes all belong to later ones by one of its own', () => {
    const regions = [
      { name: 'left', values: [1] },
      { name: 'both', values: [1, 2] },
      { name: 'right', values: [2] },
    ];
    const files = [0, 1, 2].map((value) => ({ value, name: `label ${value}` }));
    expect(datasetJson({ channels: ['T1'], labels: files, regions }, 3).regions_class_order).toEqual([1, 1, 2]);
  });
});

it('all cases are trained on, and the one that is called validation is among them', () => {
  expect(splits(['a', 'b', 'c'], 'b')).toEqual([{ train: ['a', 'b', 'c'], val: ['b'] }]);
});
