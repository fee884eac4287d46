// What was measured of this program, and what its clock keeps to: nothing that a network would be better or worse for. That is in the recipe.

/** A coarse part is worth it only where so many controller steps of one child follow. */
export const fewestLaterSteps = 2;

/** A step is begun only where it can train for this share of its training epochs; else the step before trains on. */
export const smallestShare = 0.5;
/** Yet when evaluation took less time than was thought, what is left is used if it holds this share. */
export const smallestRest = 0.1;
/** Of the time, what is spent in the end on telling what each choice was worth, at most. */
export const comparedShare = 0.01;
/** Of a run whose epochs have a stated length, what a kill may cost, about. */
export const secondsBetweenCheckpoints = 60;
/** And of its time no more than this share. */
export const shareBetweenCheckpoints = 1 / 10;
/** Seconds that drawing and writing the report take. */
export const reportSeconds = 2;

/** Voxels that small cases of one shape may have together to be segmented in one pass. */
export const voxelsInOnePass = 2 ** 18;

/**
 * Bytes that Node, libtorch, reading the scans, the batches' thread and the controller take in a process, measured. In bfloat16, what
 * oneDNN compiles comes to it.
 */
export const processBytes = { fp32: 305 * 2 ** 20, bf16: 380 * 2 ** 20, fp16: 380 * 2 ** 20 } as const;
/** Bytes of a budget that are left for what grows as a search goes on: JavaScript's heap, oneDNN's kernels, the report. */
export const reservedBytes = 84 * 2 ** 20;
/** What small tensors and work space add to a pass at most, measured. */
export const passFactor = 1.03;
/** Bytes that the loss by libtorch's operations takes for a class and voxel: 34 to 42 at full resolution, measured, and its coarser levels. */
export const composedLossBytes = 64;
/** Batches whose arrays exist at once: one in use, one that is being made. */
export const batchesAtOnce = 2;
/** Copies of the float32 weights: themselves, their average and the optimiser's moments; the gradients count to a child's pass. */
export const weightCopies = { adam: 4, sgd: 3 } as const;
/** Share of the budget that prepared cases may take before they lie on the disk. */
export const shareOfCases = 1 / 3;
/** Share of what is free that a search takes where no budget is given. */
export const shareOfFree = 0.8;
/** Where the largest child comes nearer to the budget than this, every child is checked. */
export const safetyFactor = 1.1;
