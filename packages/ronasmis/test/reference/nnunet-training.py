"""Writes nnunet-training.json: how nnU-Net's own trainer trains two small networks, and what its loss says of logits of several levels.

Made with PyTorch 2.15.0, nnunetv2 2.8.1 and batchgeneratorsv2 0.3.6: `python nnunet-training.py > nnunet-training.json`. Weights, images and
labels come from formulas: weights from unet.py's, the others from those of batch_of(), which nnunet-training.ts has too. Of a training the
learning rate of each epoch and the loss of each step are written.
"""
import contextlib
import json
import os
import sys
import tempfile

import torch

for variable in ('nnUNet_raw', 'nnUNet_preprocessed', 'nnUNet_results'):
    os.environ[variable] = tempfile.mkdtemp()

from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import DownsampleSegForDSTransform  # noqa: E402
from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as trainer_module  # noqa: E402
from unet import CONVOLUTIONS, CUBE, FLAT, HALVE, INPUTS, KEEP, OUTPUTS, PLANE, chirp, digest, fill, parameters_of  # noqa: E402

EPOCHS = 5
STEPS_PER_EPOCH = 10


def label_of(size, step, image):
    """A ball of class 1 elsewhere in each image of each step, with a core of class 2 in the first image alone."""
    centre = [2 + (axis + 3) * (5 * step + 2 * image + 1) % (extent - 4) for axis, extent in enumerate(size)]
    squares = [(torch.arange(extent) - at) ** 2 for extent, at in zip(size, centre)]
    distance = squares[0][:, None, None] + squares[1][:, None] + squares[2]
    return (distance < 36).to(torch.uint8) + (distance < (9 if image == 0 else 0)).to(torch.uint8)


def batch_of(size, batch, step):
    """Of the image each channel shows the labels in another way, in noise."""
    label = torch.stack([label_of(size, step, image) for image in range(batch)])
    contrast = torch.tensor([[0.0, 1, -1], [0, 0.5, 0.5]], dtype=torch.float64)
    shown = torch.stack([contrast[channel][label.long()] for channel in range(INPUTS)], 1)
    return (shown + 0.5 * chirp(shown.shape, step)).float(), label


def configuration_of(architecture, batch_dice):
    stages = len(architecture['features'])
    return {
        'data_identifier': 'small', 'preprocessor_name': 'DefaultPreprocessor', 'spacing': [1, 1, 1],
        'batch_size': architecture['batch'], 'patch_size': list(architecture['patch'].values()), 'batch_dice': batch_dice,
        'architecture': {
            'network_class_name': 'dynamic_network_architectures.architectures.unet.PlainConvUNet',
            'arch_kwargs': {
                'n_stages': stages, 'features_per_stage': architecture['features'], 'kernel_sizes': architecture['kernels'],
                'strides': architecture['strides'], 'n_conv_per_stage': [2] * stages, 'n_conv_per_stage_decoder': [2] * (stages - 1),
                'conv_op': 'torch.nn.modules.conv.Conv3d', 'conv_bias': True,
                'norm_op': 'torch.nn.modules.instancenorm.InstanceNorm3d', 'norm_op_kwargs': {'eps': 1e-05, 'affine': True},
                'dropout_op': None, 'dropout_op_kwargs': None, 'nonlin': 'torch.nn.LeakyReLU', 'nonlin_kwargs': {'inplace': True},
            },
            '_kw_requires_import': ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
        },
    }


def trainer_of(configuration, epochs=EPOCHS, inputs=INPUTS):
    plans = {'dataset_name': 'Dataset000_Small', 'plans_name': 'plans', 'configurations': {'3d_fullres': configuration},
             'continue_training': False}
    labels = {'background': 0, **{str(label): label for label in range(1, OUTPUTS)}}
    dataset = {'channel_names': {str(channel): 'MRI' for channel in range(inputs)}, 'labels': labels, 'file_ending': '.nii.gz'}
    # There is no folder of prepared cases whose format could be told.
    trainer_module.infer_dataset_class = lambda _: None
    with contextlib.redirect_stdout(sys.stderr):
        trainer = trainer_module.nnUNetTrainer(plans, '3d_fullres', 0, dataset, torch.device('cpu'))
        trainer.num_epochs = epochs
        trainer.initialize()
    return trainer


def targets_of(trainer, label):
    """The label `[batch, depth, height, width]` for each level of logits, downsampled as nnU-Net's augmentation does in its end."""
    downsample = DownsampleSegForDSTransform(trainer._get_deep_supervision_scales())
    return [torch.stack(level) for level in zip(*(downsample._apply_to_segmentation(one[None]) for one in label))]


def training(architecture, batch_dice):
    trainer = trainer_of(configuration_of(architecture, batch_dice))
    fill(*parameters_of(trainer.network, len(architecture['features'])))
    trainer.network.train()
    rates, losses = [], []
    for epoch in range(EPOCHS):
        trainer.lr_scheduler.step(epoch)
        rates.append(trainer.optimizer.param_groups[0]['lr'])
        for step in range(epoch * STEPS_PER_EPOCH, (epoch + 1) * STEPS_PER_EPOCH):
            image, label = batch_of(list(architecture['patch'].values()), architecture['batch'], step)
            losses.append(trainer.train_step({'data': image, 'target': targets_of(trainer, label)})['loss'].item())
    return {'architecture': architecture, 'batch_dice': batch_dice, 'rates': rates, 'losses': losses}


def loss(architecture, batch_dice):
    """Of logits in no order, at all levels but the lowest, whose weight is 0."""
    trainer = trainer_of(configuration_of(architecture, batch_dice))
    _, label = batch_of(list(architecture['patch'].values()), architecture['batch'], 0)
    targets = targets_of(trainer, label)
    shapes = [(architecture['batch'], OUTPUTS, *target.shape[2:]) for target in targets]
    logits = [(3 * chirp(shape, level)).float().requires_grad_() for level, shape in enumerate(shapes)]
    found = trainer.loss(logits, targets)
    found.backward()
    weights = [weight for weight in trainer.loss.weight_factors if weight > 0]
    return {'architecture': architecture, 'batch_dice': batch_dice, 'weights': weights, 'loss': found.item(),
            'gradients': [digest(level.grad) for level in logits[:len(weights)]]}


def unet(features, patch, kernels, strides):
    stages = len(features)
    return {
        'kind': 'unet', 'patch': dict(zip(('depth', 'height', 'width'), patch)), 'batch': 2, 'features': features, 'kernels': kernels,
        'strides': strides, 'encoder': {'block': CONVOLUTIONS, 'counts': [2] * stages},
        'decoder': {'block': CONVOLUTIONS, 'counts': [2] * (stages - 1)},
    }


CUBES = unet([8, 16, 32, 32], [16, 24, 16], [CUBE] * 4, [KEEP, HALVE, HALVE, HALVE])
SLICES = unet([8, 16, 32, 32], [8, 32, 32], [FLAT, CUBE, CUBE, CUBE], [KEEP, PLANE, HALVE, HALVE])
DEEP = unet([2] * 5, [16, 48, 32], [FLAT, CUBE, CUBE, CUBE, CUBE], [KEEP, PLANE, [2, 3, 2], HALVE, HALVE])

if __name__ == '__main__':
    torch.set_num_threads(1)
    print(json.dumps({
        'trainings': {'of cubes': training(CUBES, False), 'of slices, Dice over the batch': training(SLICES, True)},
        'losses': [loss(DEEP, batch_dice) for batch_dice in (False, True)],
    }))
