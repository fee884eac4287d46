import { z } from 'zod';
import { axes } from '../base/geometry.ts';
import { count, note, positive, range, share } from './note.ts';

/** How often intensities are changed: of the patches, and of the channels of each of these. */
const shares = z.tuple([share, share]).readonly();

/** How patches are changed. */
export const augmentationSchema = z.strictObject({
  from_passes: note(
    z.number().min(0).nullable().default(60),
    'passes over the training cases in a run, above which all of it is augmented where nobody has decided; null: never',
    'ours: 40 passes did no harm without augmentation, 120 cost half a point',
  ),
  patience: note(
    count.nullable().default(4),
    'evaluations without a better one while the loss falls, after which a run is augmented where nobody has decided; null: never',
    'ours',
  ),
  flip: note(share.default(0.5), 'of the patches, those that are mirrored along each of the axes', 'paper'),
  flip_axes: note(z.array(z.enum(axes)).readonly().default(['width']), 'along which patches are mirrored', 'paper'),
  spatial: note(share.default(0.2), 'of the patches that are rotated, and that are scaled', 'nnU-Net'),
  spatial_in_plane: note(share.default(0.6), 'the same where slices are thick', 'ours'),
  rotation: note(positive.default(Math.PI / 6), 'radians, the largest angle', 'nnU-Net'),
  rotation_in_plane: note(positive.default(Math.PI), 'radians, the same where slices are thick', 'nnU-Net'),
  rotation_in: note(
    z.enum(['millimetres', 'voxels']).default('millimetres'),
    'lengths that a rotation keeps',
    'ours: where voxels are no cubes, one in voxels shears',
  ),
  scale: note(range.default([0.7, 1.4]), 'times', 'nnU-Net'),
  scale_balanced: note(
    z.boolean().default(true),
    'whether half of the scales are below 1; otherwise they are uniform over their range',
    'nnU-Net v1',
  ),
  thick_slices: note(
    positive.nullable().default(3),
    'slice thickness over voxel width beyond which slices are thick; null: only where patches are flat',
    'nnU-Net v1',
  ),
  flat_patches: note(
    positive.default(3),
    'voxels of a patch within the plane over its slices beyond which slices count as thick: they are not mixed',
    'nnU-Net',
  ),
  label_interpolation: note(
    z.enum(['nearest', 'linear']).default('nearest'),
    'labels of rotated and scaled patches: of the nearest voxel, or the class of the largest share by linear weights',
    'ours: faster',
  ),
  noise_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels, with noise', 'ours'),
  noise: note(range.default([0, 0.1]), 'variance or standard deviation of Gaussian noise', 'nnU-Net'),
  noise_in: note(z.enum(['variance', 'deviation']).default('variance'), 'what of it is drawn', 'nnU-Net, as described'),
  noise_of: note(z.enum(['channel', 'patch']).default('channel'), 'what it is drawn for', 'ours'),
  blur_share: note(shares.default([0, 0.5]), 'of the patches, and of their channels, that are blurred', 'ours'),
  blur: note(range.default([0.5, 1]), 'voxels, standard deviation of the Gaussian along an axis', 'nnU-Net'),
  brightness_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels', 'nnU-Net v1'),
  brightness: note(range.default([0.7, 1.3]), 'times', 'nnU-Net v1'),
  contrast_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels', 'nnU-Net v1'),
  contrast: note(range.default([0.65, 1.5]), 'times the distance from the mean', 'nnU-Net v1'),
  low_resolution_share: note(shares.default([0, 0.5]), 'of the patches, and of their channels', 'ours'),
  low_resolution: note(range.default([0.5, 1]), 'times the resolution that details are left of', 'nnU-Net'),
  inverted_gamma_share: note(shares.default([0, 1]), 'of the patches, and of their channels, as negatives', 'ours'),
  gamma_share: note(shares.default([1, 0.15]), 'of the patches, and of their channels', 'ours'),
  gamma: note(range.default([0.7, 1.5]), 'exponent, of negatives too', 'nnU-Net'),
  outside_stays_zero: note(
    z.boolean().default(false),
    'whether voxels that are 0 in all channels are 0 again once intensities are changed',
    'ours; nnU-Net: where z-scores are within a mask',
  ),
});
