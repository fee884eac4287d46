import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type UNet, unetSchema } from '../../architecture/unet.ts';
import { UserError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { configuration } from './folders.ts';

const tripleSchema = z.tuple([z.int(), z.int(), z.int()]);
type Three = z.infer<typeof tripleSchema>;

/** What nnU-Net's `plans.json` says of the network. */
const plansSchema = z.object({
  /** Which axis of a scan each of nnU-Net's is, and back. */
  transpose_backward: tripleSchema,
  configurations: z.looseObject({
    [configuration]: z.object({
      patch_size: tripleSchema,
      batch_size: z.int(),
      architecture: z.object({
        network_class_name: z.string().endsWith('.PlainConvUNet'),
        arch_kwargs: z.object({
          features_per_stage: z.array(z.int()),
          kernel_sizes: z.array(tripleSchema),
          strides: z.array(tripleSchema),
          n_conv_per_stage: z.array(z.int()),
          n_conv_per_stage_decoder: z.array(z.int()),
        }),
      }),
    }),
  }),
});

/**
 * The network that nnU-Net has planned, with its axes as scans have them: nnU-Net may turn these, and lists the decoder's stages from the lowest.
 * @param model nnU-Net's folder of a trained model
 * @throws UserError where its plans are of another form
 */
export async function plannedNetwork(model: string): Promise<UNet> {
  const file = join(model, 'plans.json');
  const plans = parseJson(await readFile(file, 'utf8'), plansSchema, ([why]) => {
    return new UserError(`${file}: this nnU-Net plans networks of another form (${why}). Install nnunetv2 2.8.1.`);
  });
  const { patch_size, batch_size, architecture } = plans.configurations[configuration];
  const { arch_kwargs: network } = architecture;
  const turned = (three: Three): Three => {
    const [depth, height, width] = plans.transpose_backward.map((axis) => three[axis]);
    return [depth, height, width];
  };
  const [depth, height, width] = turned(patch_size);
  return unetSchema.parse({
    kind: 'unet',
    patch: { depth, height, width },
    batch: batch_size,
    features: network.features_per_stage,
    kernels: network.kernel_sizes.map(turned),
    strides: network.strides.map(turned),
    encoder: { block: 'convolutions', counts: network.n_conv_per_stage },
    decoder: { block: 'convolutions', counts: network.n_conv_per_stage_decoder.toReversed() },
  });
}
