import type { MacroArchitecture, MicroArchitecture } from '../../src/architecture/architecture.ts';
import { defaultRecipe } from '../../src/recipe/recipe.ts';
import type { ReportContent } from '../../src/report/content.ts';
import type { ExampleVolume } from '../../src/report/slices.ts';
import { chooseSlices, pickExamples } from '../../src/report/slices.ts';
import type { ReportTold } from '../../src/report/told/messages.ts';
import { drawEllipsoid, type Shape } from '../evaluation/masks.ts';

/** An architecture with every kind of choice in it. */
export const ARCHITECTURE: MacroArchitecture = {
  space: 'macro',
  patch: { depth: 32, height: 48, width: 32 },
  encoder: [
    { pool: { depth: 1, plane: 1 }, dilation: 1, activation: 'leaky_relu' },
    { pool: { depth: 1, plane: 2 }, dilation: 2, activation: 'relu' },
    { pool: { depth: 2, plane: 2 }, dilation: 1, activation: 'elu' },
    { pool: { depth: 2, plane: 2 }, dilation: 3, activation: 'relu' },
    { pool: { depth: 2, plane: 1 }, dilation: 1, activation: 'leaky_relu' },
  ],
  decoder: [
    { dilation: 1, activation: 'relu', skips: [0, 1] },
    { dilation: 2, activation: 'elu', skips: [1, 3] },
    { dilation: 1, activation: 'leaky_relu', skips: [0, 2, 4] },
    { dilation: 1, activation: 'relu', skips: [] },
  ],
};

/** One of the micro space, whose arrows pass over boxes on either side. */
export const MICRO_ARCHITECTURE: MicroArchitecture = {
  space: 'micro',
  patch: ARCHITECTURE.patch,
  encoder: ARCHITECTURE.encoder.map(({ pool }) => ({ pool })),
  decoder: ARCHITECTURE.decoder.map((_, level) => ({ skips: [level] })),
  cell: [
    [
      { operation: 'convolution', input: 0 },
      { operation: 'identity', input: 0 },
    ],
    [
      { operation: 'max_pooling', input: 0 },
      { operation: 'pointwise_convolution', input: 1 },
    ],
    [
      { operation: 'identity', input: 1 },
      { operation: 'dilated_convolution', input: 0 },
    ],
  ],
};

const LABELS = [
  { value: 0, name: 'background' },
  { value: 1, name: 'Anterior' },
  { value: 2, name: 'Posterior & <tail>' },
];

/** Two ellipsoids in a textured image, the prediction off by `error` voxels. */
function exampleVolume(error: number): ExampleVolume {
  const shape: Shape = [20, 48, 40];
  const draw = (shift: number) => {
    const labels = new Uint8Array(20 * 48 * 40);
    drawEllipsoid(labels, shape, 1, [10, 30 + shift, 20], [7, 11, 9]);
    drawEllipsoid(labels, shape, 2, [10, 16, 20 + shift], [7, 10, 7]);
    return labels;
  };
  const reference = draw(0);
  const image = Float32Array.from(
    reference,
    (label, i) => label * 0.6 + Math.sin(i * 12.9898) * 0.4 + Math.sin(i / 700),
  );
  return { image, prediction: draw(error), reference, shape, spacing: [2, 1, 1] };
}

/** A finished run with `steps` controller steps and 42 test cases. */
export function reportContent(steps = 40): ReportContent {
  const names = Array.from({ length: 42 }, (_, i) => `case_${String(i * 7 + 1).padStart(3, '0')}`);
  const wave = (i: number) => 0.5 + 0.5 * Math.sin(i * 78.233);
  const cases = Object.fromEntries(
    names.map((name, i) => [name, { '1': 0.93 - 0.12 * wave(i) ** 3, '2': 0.91 - 0.18 * wave(i + 9) ** 2 }]),
  );
  const dice = { mean: 0.8812, classes: { '1': 0.8954, '2': 0.8671 }, cases };
  const events = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    seconds: (i + 1) * 22,
    reward_mean: 0.86 * (1 - Math.exp(-(i + 1) / 6)) + 0.01 * Math.sin(i * 3),
    reward_base: 0.87 * (1 - Math.exp(-(i + 2) / 5)),
    reward_max: 0.885 * (1 - Math.exp(-(i + 2) / 5)),
    baseline: 0.8,
    entropy: 28 * Math.exp(-i / 30) + Math.sin(i) * 0.3,
    loss: 0.15 + 0.6 * Math.exp(-i / 5),
    steps: (i + 1) * 60,
    training_seconds: 40,
    evaluation_seconds: 8,
    peak_memory_bytes: 2.1e9,
    coarse: false,
    augmented: i > 2,
    out_of_memory: 0,
    children: Array.from({ length: 20 }, () => ({ architecture: ARCHITECTURE, reward: 0.8 })),
  }));
  return {
    folder: '/runs/kidneys',
    run: {
      version: '0.1.0',
      created: '2026-11-23T21:04:11.123Z',
      settings: {
        data_set: '/data/Kid<neys>',
        time_seconds: 900,
        epochs: null,
        children: 20,
        controller: 'reinforce',
        space: 'macro',
        augment: 'off',
        folds: 5,
        fold: 0,
        device: 'cpu',
        precision: 'auto',
        seed: 1,
      },
      engine: { libtorch: '2.15.0', device: 'cpu', precision: 'bf16', threads: 2, cpu: 'A processor with AMX' },
      recipe: defaultRecipe,
      network: { channels: [16, 32, 64, 128, 256], input_channels: 1, classes: 3, flat_levels: 0 },
      labels: LABELS,
      regions: [],
      channel_files: false,
      fingerprint: { cases: 208, spacing: { median: [1, 1, 1] }, shape: { median: [35, 51, 36] } },
    },
    architecture: ARCHITECTURE,
    report: {
      validation_dice: { ...dice, mean: 0.8893 },
      test_dice: dice,
      seconds: 902,
      evaluation_seconds: 3,
      peak_memory_bytes: 2.14e9,
      parameters: 1_263_451,
      cleaned_classes: [],
    },
    events,
    examples: pickExamples(dice).map((example, i) => ({ ...example, slices: chooseSlices(exampleVolume(i)) })),
  };
}

/** What a report's page tells. */
export function toldIn(page: string): ReportTold {
  const [, text = ''] = /<script id="told" type="application\/json">(.*?)<\/script>/s.exec(page) ?? [];
  const told: ReportTold = JSON.parse(text);
  return told;
}

/** What a search has gained, by two differences of which one was not told. */
export const gain = {
  found: 0.812,
  base: 0.8,
  differences: [
    { what: 'dilation 2 at encoder level 0', without: 0.806 },
    { what: 'skips from no level into level 1', without: null },
  ],
};
