"""Writes nnunet-training.json: how nnU-Net's own trainer trains small networks, and what its loss says of three levels of logits.

Made with PyTorch 2.15.0 and nnunetv2 2.8.1: `python nnunet-training.py > nnunet-training.json`. Weights, images and labels come from formulas,
which nnunet-training.test.ts has too. Of a training, the loss of each of 50 steps is written; nnU-Net's lies 1 below ours.
"""
import contextlib
import json
import os
import sys
import tempfile
from math import prod

import numpy as np
import torch

folder = tempfile.mkdtemp()
for name in ('nnUNet_raw', 'nnUNet_preprocessed', 'nnUNet_results'):
    os.environ[name] = folder

from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import DownsampleSegForDSTransform  # noqa: E402
from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as module  # noqa: E402

STEPS = 50
STEPS_PER_EPOCH = 10
CLASSES = 3


def chirp(shape, phase):
    index = np.arange(prod(shape), dtype=np.float64)
    return np.sin(0.7 * index * index + phase).reshape(shape)


def digest(tensor):
    flat = tensor.double().flatten().numpy()
    picked = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'values': picked, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


def label_of(size, step, image):
    """A ball of class 1 elsewhere in each image of each step, with a core of class 2 in the first image alone."""
    centre = [2 + (axis + 3) * (5 * step + 2 * image + 1) % (extent - 4) for axis, extent in enumerate(size)]
    squares = [(np.arange(extent) - at) ** 2 for extent, at in zip(size, centre)]
    distance = squares[0][:, None, None] + squares[1][:, None] + squares[2]
    return (distance < 36).astype(np.uint8) + (distance < (9 if image == 0 else 0))


def batch_of(size, batch, step):
    label = np.stack([label_of(size, step, image) for image in range(batch)])
    image = np.array([0.0, 1.0, -1.0])[label] + 0.5 * chirp(label.shape, step)
    return torch.from_numpy(image[:, None]).float(), torch.from_numpy(label[:, None])


def fill(network):
    """A chirp for each weight, by its place in the list: kernels as large as He et al. have them, scales 1, shifts 0."""
    for place, weight in enumerate(network.parameters()):
        if weight.ndim == 5:
            values = 2 / np.sqrt(prod(weight.shape[1:])) * chirp(tuple(weight.shape), place)
            weight.data = torch.from_numpy(values).float()


def trainer_of(case):
    stages = len(case['features'])
    configuration = {
        'data_identifier': 'small', 'preprocessor_name': 'DefaultPreprocessor', 'spacing': [1, 1, 1],
        'batch_size': case['batch'], 'patch_size': case['patch'], 'batch_dice': case['batch_dice'],
        'architecture': {
            'network_class_name': 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
            'arch_kwargs': {
                'n_stages': stages, 'features_per_stage': case['features'], 'kernel_sizes': case['kernels'], 'strides': case['strides'],
                'n_conv_per_stage': [2] * stages, 'n_conv_per_stage_decoder': [2] * (stages - 1),
                'conv_op': 'torch.nn.modules.conv.Conv3d', 'conv_bias': True,
                'norm_op': 'torch.nn.modules.instancenorm.InstanceNorm3d', 'norm_op_kwargs': {'eps': 1e-05, 'affine': True},
                'dropout_op': None, 'dropout_op_kwargs': None, 'nonlin': 'torch.nn.LeakyReLU', 'nonlin_kwargs': {'inplace': True},
            },
            '_kw_requires_import': ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
        },
    }
    plans = {'dataset_name': 'Dataset000_Small', 'plans_name': 'plans', 'configurations': {'3d_fullres': configuration},
             'continue_training': False}
    dataset = {'channel_names': {'0': 'MRI'}, 'labels': {'background': 0, 'one': 1, 'two': 2}, 'file_ending': '.nii.gz'}
    # There is no prepared data whose kind could be told.
    module.infer_dataset_class = lambda _: None
    with contextlib.redirect_stdout(sys.stderr):
        trainer = module.nnUNetTrainer(plans, '3d_fullres', 0, dataset, torch.device('cpu'))
        trainer.initialize()
    trainer.num_epochs = STEPS // STEPS_PER_EPOCH
    trainer.optimizer, trainer.lr_scheduler = trainer.configure_optimizers()
    fill(trainer.network)
    return trainer


def training(case):
    trainer = trainer_of(case)
    downsample = DownsampleSegForDSTransform(trainer._get_deep_supervision_scales())
    trainer.network.train()
    losses, rates = [], []
    for step in range(STEPS):
        if step % STEPS_PER_EPOCH == 0:
            trainer.lr_scheduler.step(step // STEPS_PER_EPOCH)
            rates.append(trainer.optimizer.param_groups[0]['lr'])
        image, label = batch_of(case['patch'], case['batch'], step)
        targets = [torch.stack(level) for level in zip(*(downsample._apply_to_segmentation(one) for one in label))]
        losses.append(trainer.train_step({'data': image, 'target': targets})['loss'].item())
    return {**case, 'rates': rates, 'losses': losses, 'names': [name for name, _ in trainer.network.named_parameters()]}


def loss(case):
    """Of logits in no order, at all levels but the lowest."""
    trainer = trainer_of(case)
    targets = DownsampleSegForDSTransform(trainer._get_deep_supervision_scales())
    labels = torch.stack([torch.from_numpy(label_of(case['patch'], 0, image)) for image in range(case['batch'])])
    levels = [torch.stack(level) for level in zip(*(targets._apply_to_segmentation(one[None]) for one in labels))]
    shapes = [(case['batch'], CLASSES, *level.shape[2:]) for level in levels]
    logits = [torch.from_numpy(3 * chirp(shape, place)).float().requires_grad_() for place, shape in enumerate(shapes)]
    found = trainer.loss(logits, levels)
    found.backward()
    supervised = [level.grad for level in logits if level.grad is not None]
    return {**case, 'weights': list(trainer.loss.weight_factors), 'loss': found.item(), 'gradients': [digest(level) for level in supervised]}


ISOTROPIC = {'features': [8, 16, 32, 32], 'patch': [16, 24, 16], 'batch': 2, 'kernels': [[3, 3, 3]] * 4,
             'strides': [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2]]}
THICK = {'features': [8, 16, 32, 32], 'patch': [8, 32, 32], 'batch': 2, 'kernels': [[1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
         'strides': [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2]]}
DEEP = {'features': [4] * 5, 'patch': [16, 32, 32], 'batch': 2, 'kernels': [[1, 3, 3]] + [[3, 3, 3]] * 4,
        'strides': [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2]]}

if __name__ == '__main__':
    torch.set_num_threads(1)
    print(json.dumps({
        'trainings': [training({**ISOTROPIC, 'batch_dice': False}), training({**THICK, 'batch_dice': True})],
        'losses': [loss({**DEEP, 'batch_dice': batch_dice}) for batch_dice in (False, True)],
    }))
