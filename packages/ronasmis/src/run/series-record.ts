import { z } from 'zod';
import { runSchema } from './run-record.ts';

const { settings, engine } = runSchema.shape;

/** What runs in one folder have in common, whatever they are compared for. */
export const seriesSettings = settings.pick({
  data_set: true,
  label_folder: true,
  time_seconds: true,
  epochs: true,
  memory_bytes: true,
  folds: true,
  device: true,
  precision: true,
});

/** What the record of several runs says beside their settings. */
export const seriesFields = {
  version: z.string(),
  /** ISO 8601 time at which it was begun. */
  created: z.string(),
  /** What `auto` came to: the same for every run, whichever process runs it. */
  engine: engine.pick({ device: true, precision: true }),
  /** By run, joules that were used while it ran; null where the machine does not tell or a kill left them unknown. */
  joules: z.record(z.string(), z.number().nullable()),
};
