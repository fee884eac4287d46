import { describe, expect, it } from 'vitest';
import { paperRecipe } from '../../src/recipe/paper.ts';
import { recipeSchema } from '../../src/recipe/recipe.ts';
import { methodsOf } from '../../src/report/methods.ts';
import type { RunRecord } from '../../src/run/run-record.ts';
import { unet } from '../architecture/unet.ts';
import { reportContent } from './content.ts';

const content = reportContent(40);
const { architecture, events } = content;
const none = { mean: null, classes: {}, cases: {} };
const intensity = { mean: 0, deviation: 1, min: 0, percentile005: 0, median: 0, percentile995: 0, max: 1 };
const fingerprint = {
  name: 'Kidneys',
  cases: 208,
  channels: ['T1', 'T2'],
  labels: content.run.labels,
  shape: { min: [30, 40, 30], median: [35, 51, 36], max: [40, 60, 40] },
  spacing: { min: [1, 1, 1], median: [1, 0.5, 0.5], max: [1, 1, 1] },
  orientations: { RAS: 208 },
  orientation: 'RAS',
  commonSpacing: [1, 0.5, 0.5],
  commonShape: [35, 51, 36],
  resampled: 0,
  intensities: [intensity, intensity],
  classFractions: [0.9, 0.05, 0.05],
  storedBytes: 1,
  sha256: 'a',
};
const run: RunRecord = {
  ...content.run,
  settings: { ...content.run.settings, memory_bytes: 4 * 2 ** 30 },
  network: { ...content.run.network, input_channels: 2 },
  normalisation: [{ kind: 'z_score' }, { kind: 'z_score' }],
  orientation: 'RAS',
  spacing: [1, 0.5, 0.5],
  fingerprint,
};
const first10 = Object.entries(content.report.test_dice.cases).slice(0, 10);
const report = {
  ...content.report,
  validation_dice: { ...content.report.validation_dice, cases: Object.fromEntries(first10) },
};
const textOf = (of: RunRecord, about: string, left = report): string | undefined =>
  methodsOf({ run: of, report: left, architecture, events }).find((part) => part.about === about)?.text;

describe('the methods of a search', () => {
  it('say of one that was too short to choose that the base network was trained', () => {
    const auto = { ...run, settings: { ...run.settings, controller: 'auto' } };
    const short = { ...auto, exploring: { explores: false, expected_steps: 24 } };
    expect(textOf(short, 'Search')).toContain(
      'The base network was trained with RONASMIS 0.1.0, without a search, in 40 steps. With fewer than 150 controller epochs (about 24), ' +
        'choosing costs more than it finds: the base network is trained alone.',
    );
    const long = { ...auto, exploring: { explores: true, expected_steps: 75 } };
    expect(textOf(long, 'Search')).toContain('the controller auto (reinforce) proposed children of the macro space');
  });

  it('say all that a paper has to, in this order', () => {
    const parts = methodsOf({ run, report, architecture, events }).map(({ about, text }) => `${about}. ${text}`);
    expect(parts).toEqual([
      'Data. The data set Kidneys has 208 cases of 2 channels (T1 and T2). Labelled are Anterior and Posterior & <tail>. ' +
        'The median scan has 35 × 51 × 36 voxels of 1 × 0.5 × 0.5 mm (depth × height × width). ' +
        'Scans were turned to RAS, resampled to 1 × 0.5 × 0.5 mm and z-scored.',
      "Split. The cases were split into 5 folds by nnU-Net's rule (KFold of scikit-learn, shuffled with the seed 12345). " +
        'Fold 0 (42 cases) was held out: it was segmented once, at the end. ' +
        'Of the other cases, 10 chose between networks, and the other 156 trained them.',
      'Search. Architectures were searched with RONASMIS 0.1.0 (Bae et al., MICCAI 2019): the controller reinforce proposed children of the macro space, ' +
        'all of which share one set of weights. In 40 controller steps, 800 children were evaluated; the reward is the mean Dice over the validation patients. ' +
        'The best child is the result, with the shared weights as they are. ' +
        'Weights were trained for 2400 steps of AdamW (learning rate 0.002, falling to 0 by a polynomial with the exponent 0.9; weight decay 0.001), ' +
        'with the loss of soft Dice and cross-entropy. Training patches were mirrored along the width. ' +
        'Training patches were rotated, scaled and changed in their intensities from step 4 on. All constants are those of the default recipe.',
      'Budget. The run was given 15 min 0 s and 4.0 GiB of memory; it took 15 min 2 s and 2.0 GiB at most.',
      'Result. The network has 1.26 M parameters. On the 42 test cases, each on its own grid, it reaches a mean Dice over patients of 88.12 % ' +
        '(Anterior 89.54 %, Posterior & <tail> 86.71 %). On the validation cases it is 88.93 %.',
      'Software and hardware. Seed 1; libtorch 2.15.0, in bf16, on 2 threads of a CPU (A processor with AMX).',
    ]);
  });

  it('say by which recipe: the published one, or in what it differs from the default', () => {
    expect(textOf({ ...run, recipe: paperRecipe }, 'Search')).toMatch(
      / of Adam \(.* with the loss of soft Dice\. .*those of the published recipe\.$/,
    );
    const recipe = recipeSchema.parse({ search: { coarse_share: 0 }, space: { cost_limit: null } });
    expect(textOf({ ...run, recipe }, 'Search')).toMatch(
      /The recipe differs from the default one in 2 constants: space\.cost_limit none, search\.coarse_share 0\.$/,
    );
  });

  it('say of which classes small components are removed', () => {
    expect(textOf(run, 'Result', { ...report, cleaned_classes: [1, 2] })).toContain(
      ' Of Anterior and Posterior & <tail>, components with less than half the voxels of the largest are removed: ',
    );
    expect(textOf(run, 'Result')).not.toContain('components');
  });

  it('leave out what older run folders do not say', () => {
    const { normalisation: _, orientation: __, spacing: ___, ...older } = run;
    const { memory_bytes: ____, ...settings } = run.settings;
    const record = { ...older, settings: { ...settings, time_seconds: null }, fingerprint: { cases: 208 } };
    expect(textOf(record, 'Data')).toBe(
      'The data set Kid<neys> has 2 channels. Labelled are Anterior and Posterior & <tail>.',
    );
    expect(textOf(record, 'Split')).toMatch(/10 chose between networks, and the rest trained them\.$/);
    expect(textOf(record, 'Budget')).toMatch(/^The run had no limit; it took /);
  });

  it('say which weights it began with, and that the base network alone was no search', () => {
    const record = { ...run, taken_over: { taken: 20, adapted: 2, drawn_anew: 1 } };
    expect(textOf(record, 'Search')).toContain(
      ' It began with the weights of an earlier run: 20 were taken over, 2 adapted and 1 drawn anew. ',
    );
    expect(textOf({ ...run, settings: { ...run.settings, space: 'fixed' } }, 'Search')).toMatch(
      /^The base network was trained with RONASMIS 0\.1\.0, without a search, in 40 steps\. Weights/,
    );
  });

  it('name regions, and a GPU', () => {
    const regions = [{ name: 'whole', values: [1, 2] }];
    const record: RunRecord = { ...run, regions, engine: { ...run.engine, device: 'cuda' } };
    expect(textOf(record, 'Data')).toContain(', which are scored together as whole.');
    expect(textOf(record, 'Software and hardware')).toMatch(/, on cuda, beside a CPU \(A processor with AMX\)\.$/);
  });
});

describe('the methods of a training', () => {
  const training: RunRecord = {
    ...run,
    settings: { ...run.settings, system: 'nnunet', only_child: unet, epochs: 40 },
  };

  it('say that nothing was searched', () => {
    expect(methodsOf({ run: training, report, architecture, events }).map(({ about }) => about)).not.toContain(
      'Search',
    );
    expect(textOf(training, 'Training')).toMatch(
      /^One network was trained with RONASMIS 0\.1\.0, as the system nnunet, without a search, in 40 steps\. Weights were trained for /,
    );
    expect(textOf(training, 'Budget')).toMatch(/^The run was given 15 min 0 s, 40 steps and 4\.0 GiB of memory;/);
  });

  it('claim nothing of what another program trains by, nor of cases that nobody has segmented', () => {
    const own = { ...training, settings: { ...training.settings, own_program: true } };
    const left = { ...report, test_dice: none, validation_dice: none };
    expect(textOf(own, 'Training')).toMatch(/ in 40 steps\.$/);
    expect(textOf(own, 'Software and hardware')).toMatch(/^Seed 1; PyTorch 2\.15\.0/);
    expect(textOf(own, 'Result', left)).toBe('The network has 1.26 M parameters.');
    expect(textOf(own, 'Split', left)).toMatch(/\. Fold 0 was held out: .* All other cases trained the network\.$/);
  });
});
