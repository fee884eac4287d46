"""Writes augmentation.json: patches turned by SciPy and intensities changed by batchgenerators, which nnU-Net augments with.

Made with SciPy 1.17.1 and batchgenerators 0.25.5: `python augmentation.py > augmentation.json`. Volumes are filled by chirp(). A result is
written as 12 of its values and the mean of chirp-weighted values.
"""
import json
from math import prod

import numpy as np
from batchgenerators.augmentations.color_augmentations import augment_contrast, augment_gamma
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation


def chirp(shape, phase):
    index = np.arange(prod(shape), dtype=np.float64)
    return np.sin(0.7 * index * index + phase).reshape(shape)


def digest(values):
    flat = values.astype(np.float64).ravel()
    picked = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'values': picked, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


SHAPE = (9, 14, 12)
TURNED = [
    # angles around depth, height and width; scales; spacing; offset; patch; mirrored along the width
    ((0.4, -0.3, 0.2), (0.8, 0.8, 0.8), (1.5, 1, 0.9), (1, 2, 1), (6, 8, 9), False),
    ((0.5, 0.1, -0.5), (1.3, 1.3, 1.3), (1, 1, 1), (-2, -1, 0), (12, 15, 13), True),
    ((-0.5, 0, 0), (1, 1.2, 1.2), (8, 1.2, 1.5), (2, 1, -1), (5, 12, 12), True),
]


def turned(angles, scales, spacing, offset, patch, flip):
    rotation = Rotation.from_euler('XYZ', angles).as_matrix()
    matrix = np.diag(1 / np.array(spacing)) @ np.diag(scales) @ rotation @ np.diag(spacing)
    centre = (np.array(patch) - 1) / 2
    how = {'matrix': matrix, 'offset': np.array(offset) + centre - matrix @ centre, 'output_shape': patch, 'mode': 'grid-constant'}
    image = affine_transform(chirp(SHAPE, 1), order=1, **how)
    label = affine_transform(np.trunc((chirp(SHAPE, 3) + 1) * 2).astype(np.uint8), order=0, **how)
    if flip:
        image, label = image[..., ::-1], label[..., ::-1]
    return {
        'angles': angles, 'scales': scales, 'spacing': spacing, 'offset': offset, 'patch': patch, 'flip': flip,
        'matrix': matrix.tolist(), 'image': digest(image), 'label': digest(label),
    }


patch = chirp((1, 200), 2)
print(json.dumps({
    'turned': [turned(*case) for case in TURNED],
    'contrast': {str(factor): digest(augment_contrast(patch.copy(), lambda: factor)) for factor in (0.7, 1.4)},
    'gamma': digest(augment_gamma(patch.copy(), (1.4, 1.4), retain_stats=True)),
}))
