/** What a search is told where nobody says otherwise; how many children and controller epochs it has, the recipe says. */
export const searchDefaults = {
  controller: 'auto',
  space: 'macro',
  augment: 'auto',
  folds: 5,
  fold: 0,
  device: 'auto',
  precision: 'auto',
  seed: 1,
} as const;
