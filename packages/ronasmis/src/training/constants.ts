/** Adam's rate where the schedule begins, for each step. */
export const initialLearningRate = 2e-3;
/** Exponent of the polynomial that the learning rate falls by (nnU-Net, Isensee et al. 2021). */
export const decayPower = 0.9;
/** Decoupled weight decay, for each unit of the learning rate (paper: 1e-3 or 1e-4). */
export const weightDecay = 1e-3;
/** Largest Euclidean norm of the gradient of all weights together, as nnU-Net clips it. */
export const largestGradient = 12;
/** Share of skips that are left out at each training step: the zero operation (paper, Table 1). */
export const dropPath = 0.1;
/** Share of the training steps so far that the weights' moving average is over. */
export const averagedShare = 0.1;
