// Every number that the controllers go by.

// The beginning near the base child.

/** Of the base child's choices before anything is learnt, in logits: at most, at least, and as a sum over the steps of a search. */
export const largestLead = 4;
export const smallestLead = 2;
export const leadSteps = 12;

// The policy and how it is taught.

/** Hidden size, temperature, tanh constant and range of the first weights as ENAS sets them (Pham et al. 2018, and its code). */
export const hidden = 64;
export const temperature = 5;
export const tanhConstant = 2.5;
export const initialRange = 0.1;
/**
 * Every decision also has a bias of its own, which moves so many times as fast as the LSTM's weights: within the few dozen
 * updates of a short search, the LSTM alone would hardly leave the uniform policy.
 */
export const biasScale = 250;

/**
 * Share of the old baseline that is left after one more reward. ENAS has 0.95 or more; but while the shared weights learn,
 * all rewards rise from step to step, and a baseline that lags behind would praise every child.
 */
export const baselineDecay = 0.85;
/** Weight of the entropy bonus (ENAS). */
export const entropyWeight = 1e-4;

/** The controller's rate for Adam and the controller steps of a search that ENAS and the paper set it for. */
export const enasLearningRate = 3.5e-4;
export const paperSteps = 150;
/**
 * The policy is to be decided after two thirds of a search, or in a long one so many controller steps before its end: three passes over the
 * training cases each, and a child that is trained alone for more of them over-fits.
 */
export const decidedShare = 2 / 3;
export const stepsAlone = 5;
/** How many times its logits are then taken. */
export const largestSharpness = 50;

// Proximal policy optimisation.

/** How far the probability of a decision may move before it no longer pays (Schulman et al. 2017, their best setting). */
export const ppoClipping = 0.2;
/** Passes over the children of a step. Schulman et al. make 3 to 10. */
export const ppoPasses = 4;

// Evolution.

/**
 * Individuals that are alive, and those that compete to be a parent: a quarter of them, as the 25 of 100 of Real et al. The population
 * is smaller than theirs, for two steps of 20 children fill it, and a short search has a dozen steps.
 */
export const populationSize = 40;
export const tournamentSize = 10;
