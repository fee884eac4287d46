import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Source files without a test file at the same path, and what tests them instead; `types` where there is nothing to test. */
const reasons: Readonly<Record<'libtorch' | 'ronasmis', Readonly<Record<string, string>>>> = {
  libtorch: {
    'index.ts': 'types',
    'kernel-example.ts': 'cuda.test.ts and cuda-emulation.test.ts',
    'kernels.ts': 'cuda.test.ts and cuda-emulation.test.ts',
    'loss-scale.ts': "optimisers.test.ts, against PyTorch's GradScaler",
    'native.ts': 'every test runs through it, and loading.test.ts what fails',
    'operation.ts': 'errors.test.ts (every refusal), operations.test.ts and gradients.test.ts (values)',
    'optimiser.ts': 'optimisers.test.ts, through every rule',
    'safetensors-header.ts': "safetensors.test.ts: Python's files, and damage of every kind",
  },
  ronasmis: {
    'architecture/activations.ts': 'a table: export/network.test.ts and report/page.test.ts',
    'base/bytes.ts': 'one function: formats/dicom-write.test.ts',
    'base/geometry.ts': 'two one-line functions: formats/volume.test.ts, orientation.test.ts and crop.test.ts',
    'base/version.ts': 'a constant: cli/main.test.ts',
    'base/voxels.ts': 'types',
    'batches/batch-worker.ts': 'the body of a thread: batches/batches.test.ts',
    'cli/dashboard-process.ts': "the dashboard package's tests, as a process",
    'cli/dashboard.ts': "the dashboard package's tests, as a process",
    'cli/doctor.ts': 'cli/verbs.test.ts runs each verb, end-to-end/ as a process',
    'cli/exit.ts': 'an error of one field',
    'cli/inspect.ts': 'cli/verbs.test.ts runs each verb, end-to-end/ as a process',
    'cli/plan.ts': 'cli/verbs.test.ts and bad-input/',
    'cli/predict.ts': 'cli/verbs.test.ts runs each verb, end-to-end/ as a process',
    'cli/resume.ts': 'cli/search.test.ts and end-to-end/interrupted.test.ts',
    'cli/run-search.ts': 'cli/search.test.ts and end-to-end/interrupted.test.ts',
    'cli/show.ts': 'cli/verbs.test.ts runs each verb, end-to-end/ as a process',
    'compare/csv.ts': 'compare/compare.test.ts, a whole comparison',
    'compare/label-maps.ts': 'paths',
    'compare/opened-case.ts': 'compare/compare.test.ts and example.test.ts',
    'compare/run-system.ts': 'compare/compare.test.ts, a whole comparison',
    'compare/series-folder.ts': 'compare/compare.test.ts and study/study.test.ts, whole ones',
    'compare/tested-run.ts': 'compare/compare.test.ts, a whole comparison',
    'controller/controller.ts': 'types',
    'controller/create.ts': 'controller/controllers.test.ts and search/own-parts.test.ts',
    'controller/draw.ts': 'controller/random.test.ts',
    'controller/near-base.ts': 'controller/controllers.test.ts, as every controller, and controller/random.test.ts',
    'controller/policy-controller.ts': 'controller/reinforce.test.ts, ppo.test.ts and sharpness.test.ts',
    'data/case.ts': 'data/check.test.ts and preparation/prepare.test.ts',
    'data/check-case.ts': 'data/check.test.ts, a table of what may be wrong with a case',
    'data/index.ts': 'entry-points.test.ts',
    'engine/to-device.ts': 'network/forward.test.ts and every search',
    'evaluation/index.ts': 'entry-points.test.ts',
    'export/export.ts': 'cli/export.test.ts, export/check.test.ts and python.test.ts',
    'formats/dicom-slice.ts': 'formats/dicom-series.test.ts and fuzz/dicom.test.ts',
    'formats/itk-worker.ts': 'the body of a thread: formats/read-volume.test.ts and fuzz/itk.test.ts',
    'formats/itk.ts': 'formats/read-volume.test.ts and fuzz/itk.test.ts',
    'formats/nifti-header.ts': 'formats/nifti.test.ts and fuzz/nifti.test.ts',
    'formats/nifti-layout.ts': "a table: nibabel's fixtures in formats/nifti.test.ts",
    'formats/nifti-types.ts': "a table: nibabel's fixtures in formats/nifti.test.ts",
    'inference/options.ts': 'types',
    'internal.ts': 'what the benchmarks import: their types',
    'network/closed.ts': 'network/of-architecture.test.ts and report/feature-bytes.test.ts',
    'network/child.ts': 'network/forward.test.ts and choices.test.ts, against PyTorch',
    'network/definition.ts': 'types',
    'network/operations.ts': 'types',
    'preparation/at-spacing.ts': 'preparation/prepare.test.ts',
    'preparation/prepared-image.ts': 'preparation/prepare.test.ts and label-map.test.ts',
    'recipe/augmentation.ts': 'recipe/recipe.test.ts',
    'recipe/note.ts': 'recipe/recipe.test.ts',
    'recipe/paper.ts': 'recipe/recipe.test.ts',
    'recipe/training.ts': 'recipe/recipe.test.ts',
    'report/cell-drawing.ts': 'report/page.test.ts',
    'report/compare-table.ts': 'report/compare-page.test.ts and cli/compare.test.ts',
    'report/dice-plot.ts': 'report/page.test.ts',
    'report/dot-rows.ts': 'report/study-page.test.ts',
    'report/headroom-page.ts': 'study/headroom/headroom.test.ts and cli/study.test.ts',
    'report/index.ts': 'entry-points.test.ts',
    'report/inspection-page.ts': 'report/inspection.test.ts',
    'report/published-table.ts': 'report/compare-page.test.ts',
    'report/scatter.ts': 'report/study-page.test.ts and compare-page.test.ts',
    'report/style.ts': 'a constant',
    'recipe/augment-mode.ts': 'a list: cli/search.test.ts and run/run-record.test.ts',
    'run/compare-record.ts': 'compare/compare.test.ts and cli/compare.test.ts',
    'run/event.ts': 'run/read-run.test.ts and end-to-end/finished-run.test.ts',
    'run/headroom-record.ts': 'study/headroom/headroom.test.ts',
    'run/index.ts': 'entry-points.test.ts',
    'run/progress.ts': 'run/heartbeat.test.ts',
    'run/report.ts': 'run/read-run.test.ts and end-to-end/finished-run.test.ts',
    'run/series-record.ts': 'compare/compare.test.ts and study/study.test.ts, whole ones',
    'run/study-record.ts': 'run/read-run.test.ts',
    'search/batch-shape.ts': 'search/memory.test.ts and mini-batches.test.ts',
    'search/constants.ts': 'constants',
    'search/context.ts': 'search/regions.test.ts',
    'search/defaults.ts': 'constants',
    'search/device-batches.ts': 'search/evaluating.test.ts',
    'search/measuring.ts': 'search/memory.test.ts and every search with a time',
    'search/options.ts': 'search/own-parts.test.ts, resume.test.ts and cli/search.test.ts',
    'search/phases.ts': 'search/search.test.ts, coarse.test.ts and with-open-run.test.ts',
    'search/preparing.ts': 'search/search.test.ts and bad-input/',
    'search/result.ts': 'end-to-end/finished-run.test.ts',
    'search/run.ts': 'types',
    'search/setup.ts': 'search/resume.test.ts and with-open-run.test.ts',
    'search/watching.ts': 'search/clock.test.ts and end-to-end/interrupted.test.ts',
    'space/names.ts': 'space/spaces.test.ts',
    'space/space.ts': 'space/macro.test.ts and micro.test.ts',
    'study/apart.ts': 'study/headroom/headroom.test.ts and study/study.test.ts, side by side',
    'study/finished.ts': 'study/study.test.ts, a whole study',
    'study/headroom/results.ts': 'study/headroom/headroom.test.ts, a whole study',
    'study/job-process.ts': 'study/headroom/headroom.test.ts, side by side',
    'study/job.ts': 'study/study.test.ts, a whole study',
    'study/messages.ts': 'types',
    'study/results.ts': 'study/study.test.ts, a whole study',
    'systems/nnunet-python/driver-common.ts': 'a program in Python: nnunet-python.test.ts runs it',
    'systems/nnunet-python/driver-predicting.ts': 'a program in Python: nnunet-python.test.ts runs it',
    'systems/nnunet-python/driver-training.ts': 'a program in Python: nnunet-python.test.ts runs it',
    'systems/nnunet-python/driver-weights.ts': 'a program in Python: nnunet-python.test.ts runs it',
    'systems/nnunet-python/driver.ts': 'a program in Python: nnunet-python.test.ts runs it',
    'systems/nnunet-python/folders.ts': 'paths',
    'systems/nnunet-python/prepare.ts': 'systems/nnunet-python/train.test.ts',
    'systems/nnunet-python/record.ts': 'systems/nnunet-python/train.test.ts and segment.test.ts',
    'systems/nnunet-python/watch.ts': 'systems/nnunet-python/train.test.ts',
    'systems/nnunet/architecture.ts': "systems/nnunet/plan.test.ts: nnU-Net's own plans, and memory.test.ts",
    'systems/nnunet/configuration.ts': "systems/nnunet/plan.test.ts: nnU-Net's own plans",
    'systems/nnunet/plans.ts': 'systems/nnunet/plan.test.ts',
    'systems/nnunet/presets.ts': "constants: systems/nnunet/plan.test.ts, by nnU-Net's own plans",
    'systems/overlapped.ts': 'constants: systems/unet-resnet/unet-resnet.test.ts',
    'systems/system.ts': 'types',
    'training/measure.ts': 'search/memory.test.ts',
    'training/out-of-memory.ts': 'training/train.test.ts',
    'training/step.ts': 'training/drop-path.test.ts, averaging.test.ts, micro.test.ts and network/choices.test.ts',
    'training/trainer.ts': 'search/state.test.ts and search.test.ts',
  },
};

const filesOf = (path: string, ending: RegExp): readonly string[] =>
  readdirSync(fileURLToPath(new URL(path, import.meta.url)), { recursive: true, encoding: 'utf8' }).filter((file) =>
    ending.test(file),
  );

describe.each(['libtorch', 'ronasmis'] as const)('tests mirror the source of %s', (name) => {
  // Declarations have nothing to test, and what is generated is tested where it is used.
  const sources = filesOf(`../../${name}/src/`, /(?<!\.d|_pb)\.ts$/);
  const tests = new Set(filesOf(`../../${name}/test/`, /\.test\.ts$/));
  const untested = sources.filter((file) => !tests.has(file.replace(/\.ts$/, '.test.ts')));

  test('a file has its test at the same path, or a reason', () => {
    expect(untested.filter((file) => reasons[name][file] === undefined)).toEqual([]);
  });

  test('no reason is out of date: the file is there, without a test, and the tests that are named are there', () => {
    expect(Object.keys(reasons[name]).filter((file) => !untested.includes(file))).toEqual([]);
    const named = Object.entries(reasons[name]).flatMap(([file, reason]) =>
      Array.from(reason.matchAll(/[\w/-]+\.test\.ts/g), ([path]) => ({ file, path })),
    );
    const isThere = ({ path }: { readonly path: string }): boolean =>
      [...tests].some((test) => test === path || test.endsWith(`/${path}`));
    expect(named.filter((one) => !isThere(one))).toEqual([]);
  });
});
