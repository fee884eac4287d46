import { join } from 'node:path';

/** The one data set of a run's own nnU-Net folders: nnU-Net wants a number and a name. */
export const rawName = 'Dataset001_compared';

/** Of nnU-Net's configurations, the one that is trained. */
export const configuration = '3d_fullres';

/** Where nnU-Net's files of a run lie: all of them below the run folder. */
export function nnunetFolders(run: string) {
  const root = join(run, 'nnunet');
  const raw = join(root, 'raw');
  const preprocessed = join(root, 'preprocessed');
  return {
    root,
    raw,
    preprocessed,
    results: join(root, 'results'),
    /** Scans and label maps that it learns from. */
    images: join(raw, rawName, 'imagesTr'),
    labels: join(raw, rawName, 'labelsTr'),
    datasetJson: join(raw, rawName, 'dataset.json'),
    /** Which it writes itself. */
    plans: join(preprocessed, rawName, 'nnUNetPlans.json'),
    splits: join(preprocessed, rawName, 'splits_final.json'),
    /** Scans that it does not see before it is trained, and what it says of them, in class indices. */
    testImages: join(root, 'test-images'),
    predictions: join(root, 'predictions'),
    /** What the Python program keeps of how far it is. */
    state: join(root, 'state.json'),
    /** What both processes print. */
    log: join(root, 'log.txt'),
    driver: join(root, 'driver.py'),
    job: join(root, 'job.json'),
  } as const;
}

/** Where nnU-Net keeps the model that it has trained: all of that but the fold is in its name. */
export const modelFolder = (run: string): string =>
  join(nnunetFolders(run).results, rawName, `nnUNetTrainer__nnUNetPlans__${configuration}`);
