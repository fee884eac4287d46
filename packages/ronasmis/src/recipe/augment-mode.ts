/** When training patches are augmented, beyond being mirrored: `auto` decides by the passes over the cases and by the validation curve. */
export const augmentModes = ['auto', 'on', 'off'] as const;
export type AugmentMode = (typeof augmentModes)[number];
