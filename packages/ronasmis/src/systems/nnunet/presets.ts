/** What memory a configuration may take: nnU-Net reckons in values of all feature maps of one patch (`memory.ts`). */
export interface Reference {
  /** So many values of a patch's feature maps fill the memory with a batch of `batch`. */
  readonly featureMapValues: number;
  readonly batch: number;
  /** The patch shrinks until a batch of so many fits. */
  readonly fittedBatch: number;
}

/** What tells nnU-Net's planners apart. */
export interface Preset {
  /** The planner's class in nnU-Net. */
  readonly planner: string;
  readonly network: 'plain' | 'residual';
  /** Of a GPU that the references are for. */
  readonly memoryGigabytes: number;
  readonly volumes: Reference;
  readonly slices: Reference;
  /** No batch has more voxels than this share of the data set's: it would over-fit. */
  readonly largestShare: number;
}

/**
 * The constants of nnU-Net v2's planners: `ExperimentPlanner` (Isensee et al. 2021), `nnUNetPlannerResEncM` and `nnUNetPlannerResEncL` (Isensee et al. 2024,
 * "nnU-Net Revisited"). The residual ones fit the reference's batch of slices, where the plain one fits two, and let a batch be as large as the data set.
 */
export const presets = {
  default: {
    planner: 'ExperimentPlanner',
    network: 'plain',
    memoryGigabytes: 8,
    volumes: { featureMapValues: 560e6, batch: 2, fittedBatch: 2 },
    slices: { featureMapValues: 85e6, batch: 12, fittedBatch: 2 },
    largestShare: 0.05,
  },
  m: {
    planner: 'nnUNetPlannerResEncM',
    network: 'residual',
    memoryGigabytes: 8,
    volumes: { featureMapValues: 680e6, batch: 2, fittedBatch: 2 },
    slices: { featureMapValues: 135e6, batch: 12, fittedBatch: 12 },
    largestShare: 1,
  },
  l: {
    planner: 'nnUNetPlannerResEncL',
    network: 'residual',
    memoryGigabytes: 24,
    volumes: { featureMapValues: 2100e6, batch: 2, fittedBatch: 2 },
    slices: { featureMapValues: 380e6, batch: 12, fittedBatch: 12 },
    largestShare: 1,
  },
} as const satisfies Readonly<Record<string, Preset>>;

/** How a preset is called on the command line. */
export type PresetName = keyof typeof presets;

/** The reference of a configuration of so many axes. */
export const referenceOf = ({ volumes, slices }: Preset, axes: number): Reference => (axes === 2 ? slices : volumes);
