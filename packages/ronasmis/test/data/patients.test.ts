import { expect, test } from 'vitest';
import { scansOfPatients } from '../../src/data/patients.ts';

test.each<[string, readonly string[], number]>([
  [
    'frames',
    ['patient001_frame01', 'patient001_frame12', 'patient002_frame01', 'patient002_frame09', 'patient003_frame01'],
    2,
  ],
  ['time points', ['GLI-00000-000', 'GLI-00000-001', 'GLI-00002-000', 'GLI-00003-000', 'GLI-00003-001'], 2],
  ['one number for all', ['prostate_001', 'prostate_003', 'prostate_004'], 0],
  ['a name with a number for all', ['BraTS2021_00000', 'BraTS2021_00002', 'BraTS2021_00003'], 0],
  ['groups without a number', ['SC-HF-01', 'SC-HF-02', 'SC-N-01', 'SC-N-02', 'SC-HYP-01'], 0],
  [
    'sites whose patients have numbers of their own',
    ['TCGA-02-0006', 'TCGA-02-0009', 'TCGA-06-0119', 'TCGA-08-0356'],
    0,
  ],
  ['few sites whose patients are all counted from 1', ['s1_1', 's1_2', 's1_3', 's2_1', 's2_2', 's2_3'], 0],
  ['numbers alone', ['1', '2', '3'], 0],
])('scans of one patient are told by their names: %s', (_, list, patients) => {
  expect(scansOfPatients(list)).toHaveLength(patients);
});
