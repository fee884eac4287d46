import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataset, fingerprint } from '../systems/nnunet/described.ts';
import { dataSet, type Inputs } from './inputs.ts';

/** nnU-Net's two files of a data set, sound until `spoil` has been at them. */
const planFiles =
  (spoil: (fingerprintFile: string, datasetFile: string) => unknown): Inputs[string] =>
  async (folder) => {
    const [first, second] = ['dataset_fingerprint.json', 'dataset.json'].map((name) => join(folder, name));
    await writeFile(first, JSON.stringify(fingerprint));
    await writeFile(second, JSON.stringify(dataset));
    await spoil(first, second);
    return ['--fingerprint', first, '--dataset-json', second];
  };
const holding = (changed: object) =>
  planFiles((file) => writeFile(file, JSON.stringify({ ...fingerprint, ...changed })));
const describedAs = (changed: object) =>
  planFiles((_, file) => writeFile(file, JSON.stringify({ ...dataset, ...changed })));

/** What is wrong with what is to be planned for. */
export const plans: Inputs = {
  'Nothing to plan for': async () => [],
  'A data set and a fingerprint': async (folder) => [
    ...(await dataSet(() => {})(folder)),
    ...(await planFiles(() => {})(folder)),
  ],
  'A fingerprint alone': async (folder) => (await planFiles(() => {})(folder)).slice(0, 2),
  'A dataset.json alone': async (folder) => (await planFiles(() => {})(folder)).slice(2),
  'A preset that is none': async (folder) => [...(await planFiles(() => {})(folder)), '--preset', 'xl'],
  'A fingerprint that is not there': planFiles((file) => rm(file)),
  'A dataset.json that is not there': planFiles((_, file) => rm(file)),
  'A folder where a fingerprint should be': planFiles(async (file) => {
    await rm(file);
    await mkdir(file);
  }),
  'A damaged fingerprint': planFiles((file) => writeFile(file, '{ "spacings": [[1, 1')),
  'A fingerprint of another form': holding({ spacings: undefined }),
  'A fingerprint with a spacing of 0': holding({ spacings: fingerprint.spacings.with(1, [1, 0, 1]) }),
  'A fingerprint of more scans than spacings': holding({ spacings: fingerprint.spacings.slice(1) }),
  'A fingerprint and a dataset.json of different channels': describedAs({ channel_names: { 0: 'T1', 1: 'T2' } }),
  'A dataset.json without channels': describedAs({ channel_names: undefined }),
  'A dataset.json of files that nnU-Net does not read': describedAs({ file_ending: '.jpg' }),
};
