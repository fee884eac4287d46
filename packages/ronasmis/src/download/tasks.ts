/** Where AWS's programme of open data keeps the archives that MONAI downloads, `TASK.tar` each. */
export const decathlonAddress = 'https://msd-for-monai.s3-us-west-2.amazonaws.com';

/**
 * The ten tasks of the Medical Segmentation Decathlon (Antonelli et al., Nature Communications 2022; CC BY-SA 4.0) and the MD5 of each archive, as
 * MONAI 1.6.1 has them (`monai.apps.DecathlonDataset.md5`).
 */
export const decathlonTasks = [
  { name: 'Task01_BrainTumour', md5: '240a19d752f0d9e9101544901065d872' },
  { name: 'Task02_Heart', md5: '06ee59366e1e5124267b774dbd654057' },
  { name: 'Task03_Liver', md5: 'a90ec6c4aa7f6a3d087205e23d4e6397' },
  { name: 'Task04_Hippocampus', md5: '9d24dba78a72977dbd1d2e110310f31b' },
  { name: 'Task05_Prostate', md5: '35138f08b1efaef89d7424d2bcc928db' },
  { name: 'Task06_Lung', md5: '8afd997733c7fc0432f71255ba4e52dc' },
  { name: 'Task07_Pancreas', md5: '4f7080cfca169fa8066d17ce6eb061e4' },
  { name: 'Task08_HepaticVessel', md5: '641d79e80ec66453921d997fbf12a29c' },
  { name: 'Task09_Spleen', md5: '410d4a301da4e5b2f6f86ec3ddba524e' },
  { name: 'Task10_Colon', md5: 'bad7a188931dc2f6acf72b08eb6202d0' },
] as const;
