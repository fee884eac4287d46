/** A system of the published table: test Dice in percent for its three tasks, null where it has none, and how it trains and predicts. */
export interface PublishedSystem {
  readonly title: string;
  readonly dice: readonly (number | null)[];
  readonly augmentation: boolean;
  readonly ensemble: boolean;
  readonly testTimeAugmentation: boolean;
  readonly postProcessing: boolean;
  readonly training: string | null;
  readonly inference: string;
}

/** Tasks of the Medical Segmentation Decathlon in the published table. */
export const publishedTasks = ['brain tumour', 'heart', 'prostate'] as const;

const none = { augmentation: false, ensemble: false, testTimeAugmentation: false, postProcessing: false } as const;
const overlapped = { training: 'V100', inference: 'overlapped patches' } as const;

/** Table 2 of Bae et al., MICCAI 2019 (arXiv 1909.00548): its authors' figures, of their machines. */
export const publishedTable: readonly PublishedSystem[] = [
  { title: '3D U-ResNet', dice: [71.61, 89.6, 63.77], ...none, ...overlapped },
  { title: 'SCNAS', dice: [72.04, 89.99, 65.3], ...none, ...overlapped },
  { title: 'SCNAS (transfer)', dice: [null, 90.47, 67.92], ...none, ...overlapped },
  {
    title: 'nnU-Net',
    dice: [74.0, 92.7, 74.54],
    augmentation: true,
    ensemble: true,
    testTimeAugmentation: true,
    postProcessing: true,
    training: null,
    inference: 'weighted overlapped patches',
  },
  { title: 'RONASMIS', dice: [74.14, 92.72, 75.71], ...none, training: 'one RTX 2080Ti', inference: 'one shot' },
];
