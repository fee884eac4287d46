"""Writes sliding_window.json: what nnU-Net's own predictor makes of volumes with a small fixed network, which sliding-window.test.ts compares with.

Made with nnunetv2 2.8.1 and PyTorch 2.15.0: `python sliding_window.py > sliding_window.json`. The network is one 3x3x3 convolution of a channel
into two, padded with zeros, so windows and mirrorings differ from one pass; image and kernel are filled by chirp(). nnU-Net adds up in
float16, by which logits of 5 are wrong by 0.002 on average here and by 0.5 in a corner: `torch.half` is float32 while it does so. A tensor is
written as 12 of its values and the mean of chirp-weighted values.
"""
import json
import sys
from contextlib import redirect_stdout
from math import prod
from types import SimpleNamespace

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window

torch.set_num_threads(1)


def chirp(shape, phase):
    index = torch.arange(prod(shape), dtype=torch.float64)
    return torch.sin(0.7 * index * index + phase).reshape(shape)


def digest(tensor):
    values = tensor.double().flatten()
    at = [i * (len(values) - 1) // 11 for i in range(12)]
    mean = (values * chirp(values.shape, 9)).mean()
    return {'shape': list(tensor.shape), 'values': [float(f'{values[i]:.9g}') for i in at], 'mean': float(f'{mean:.9g}')}


network = torch.nn.Conv3d(1, 2, 3, padding=1, bias=False)
network.weight.data = chirp([2, 1, 3, 3, 3], 2).float()


def predict(shape, patch, mirroring, gaussian):
    with redirect_stdout(sys.stderr):  # it says that there is no GPU
        predictor = nnUNetPredictor(use_gaussian=gaussian, use_mirroring=mirroring, device=torch.device('cpu'), allow_tqdm=False)
    predictor.network = network
    predictor.configuration_manager = SimpleNamespace(patch_size=patch)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=2)
    predictor.allowed_mirroring_axes = (0, 1, 2)
    half, torch.half = torch.half, torch.float32
    try:
        return predictor.predict_sliding_window_return_logits(chirp([1, *shape], 1).float())
    finally:
        torch.half = half


cases = [([9, 13, 10], [6, 8, 4]), ([5, 12, 3], [8, 8, 8]), ([8, 8, 8], [8, 8, 8])]
print(json.dumps({
    'offsets': [{'image': image, 'patch': patch, 'steps': compute_steps_for_sliding_window(image, patch, step), 'step': step}
                for image, patch, step in [([9, 13, 10], [6, 8, 4], 0.5), ([110, 64, 201], [64, 64, 50], 0.5),
                                           ([155, 240, 240], [128, 128, 128], 0.5), ([101, 37, 55], [40, 10, 17], 0.3)]],
    'gaussians': [{'patch': patch, 'weights': digest(compute_gaussian(tuple(patch), 1 / 8, 10, device=torch.device('cpu')))}
                  for patch in [[6, 8, 4], [5, 7, 16], [24, 16, 32]]],
    'logits': [{'image': image, 'patch': patch, 'mirroring': mirroring, 'gaussian': gaussian,
                'logits': digest(predict(image, patch, mirroring, gaussian))}
               for image, patch in cases for mirroring, gaussian in [(False, True), (True, True), (True, False)]],
}))
