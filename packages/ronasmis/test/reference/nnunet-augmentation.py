"""Writes nnunet-augmentation.json: what nnU-Net's transforms make of small volumes with fixed parameters, and where it takes patches.

Made with nnU-Net 2.8.1, batchgeneratorsv2 0.3.6 and PyTorch 2.15 (CPU): `python nnunet-augmentation.py > nnunet-augmentation.json`. Volumes
are filled by chirp(). A result is written as 12 of its values and the mean of chirp-weighted values.
"""
import json
from math import prod
from types import SimpleNamespace

import numpy as np
import torch
from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
from batchgeneratorsv2.transforms.intensity.contrast import ContrastTransform
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform, create_affine_matrix_2d, create_affine_matrix_3d
from batchgeneratorsv2.transforms.utils.pseudo2d import Convert2DTo3DTransform, Convert3DTo2DTransform
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader


def chirp(shape, phase):
    index = np.arange(prod(shape), dtype=np.float64)
    return np.sin(0.7 * index * index + phase).reshape(shape)


def digest(values):
    flat = np.asarray(values).astype(np.float64).ravel()
    picked = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'values': picked, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


SHAPE = (6, 9, 8)


def changed(transform):
    return digest(transform(image=torch.from_numpy(chirp((1, *SHAPE), 2)).float())['image'])


def blurred(deviations):
    transform = GaussianBlurTransform(lambda shape, dim: deviations[dim - 1])
    return {'change': {'kind': 'blur', 'deviations': deviations}, **changed(transform)}


def lowered(scale, ignored):
    transform = SimulateLowResolutionTransform(scale, False, True, ignored)
    scales = [1 if ignored and axis in ignored else scale for axis in range(3)]
    return {'change': {'kind': 'low_resolution', 'scale': scales}, **changed(transform)}


def gamma(exponent, inverted):
    kind = 'inverted_gamma' if inverted else 'gamma'
    return {'change': {'kind': kind, 'exponent': exponent}, **changed(GammaTransform(exponent, inverted, False, 1, 1))}


def contrast(factor):
    return {'change': {'kind': 'contrast', 'factor': factor}, **changed(ContrastTransform(factor, True, False, 1))}


def brightness(factor):
    transform = MultiplicativeBrightnessTransform(factor, False, 1)
    return {'change': {'kind': 'brightness', 'factor': factor}, **changed(transform)}


VOLUME = (14, 18, 20)


def turned(angle, scale, patch, in_plane):
    """Turned around every axis, or within the plane; the patch lies in the middle of the volume."""
    transform = SpatialTransform(patch[1:] if in_plane else patch, 0, False, p_rotation=1, rotation=angle, p_scaling=1, scaling=scale,
                                 p_synchronize_scaling_across_axes=1, border_mode_seg='constant', padding_value_seg=-1)
    sample = {
        'image': torch.from_numpy(chirp((1, *VOLUME), 1)).float(),
        # Of 4 classes, in blocks of 2 x 2 x 2 voxels: between two voxels there often is no border, as in a label that people draw.
        'segmentation': torch.from_numpy(np.kron(np.trunc((chirp((7, 9, 10), 3) + 1) * 2), np.ones((2, 2, 2)))[None]).short(),
    }
    if in_plane:
        sample = Convert3DTo2DTransform()(**sample)
    sample = transform(**sample)
    if in_plane:
        sample = Convert2DTo3DTransform()(**sample)
    assert sample['image'].shape[1:] == patch and sample['segmentation'].min() >= 0
    matrix = np.eye(3)
    if in_plane:
        matrix[1:, 1:] = create_affine_matrix_2d(angle, [scale] * 2)
    else:
        matrix = create_affine_matrix_3d([angle] * 3, [scale] * 3)
    return {'matrix': matrix.tolist(), 'patch': patch, 'image': digest(sample['image']), 'label': digest(sample['segmentation'])}


def loader(batch, initial, patch):
    data = SimpleNamespace(identifiers=['a'])
    label_manager = SimpleNamespace(all_labels=[0, 1], has_ignore_label=False)
    return nnUNetDataLoader(data, batch, initial, patch, label_manager, oversample_foreground_percent=0.33)


def offset(first, initial, patch):
    """Where the crop in the middle of the initial patch begins."""
    return [int(f) + i // 2 - p // 2 for f, i, p in zip(first, initial, patch)]


def placed(shape, initial, patch, voxel):
    loads = loader(2, initial, patch)
    around, _ = loads.get_bbox(np.array(shape), True, {1: np.array([[0, *voxel]])})
    free = np.array([offset(loads.get_bbox(np.array(shape), False, None)[0], initial, patch) for _ in range(20000)])
    return {'shape': shape, 'patch': patch, 'voxel': voxel, 'around': offset(around, initial, patch), 'first': free.min(0).tolist(),
            'last': free.max(0).tolist()}


print(json.dumps({
    'intensities': [
        blurred((0.55, 0.8, 1.0)), blurred((0.95, 0.5, 0.7)), lowered(0.6, None), lowered(0.7, (0,)), gamma(1.4, False), gamma(0.75, True),
        contrast(0.8), contrast(1.2), brightness(1.2),
    ],
    'turned': [
        turned(0.4, 0.8, (6, 8, 10), False), turned(-0.3, 1.1, (6, 8, 10), False), turned(2.2, 0.9, (14, 8, 10), True),
    ],
    'placed': [
        placed((36, 90, 60), (74, 80, 64), (40, 56, 40), (20, 80, 5)), placed((20, 320, 319), (20, 376, 376), (20, 320, 256), (3, 10, 310)),
        placed((50, 50, 50), (32, 32, 32), (24, 24, 24), (49, 0, 25)),
    ],
    'last_around_foreground': {n: sum(loader(n, (8, 8, 8), (8, 8, 8)).get_do_oversample(i) for i in range(n)) for n in range(2, 13)},
}))
