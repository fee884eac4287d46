"""Writes network.json: the children of network.test.ts written in PyTorch, and what they and their losses give.

Made with PyTorch 2.15.0 and MONAI 1.6.1: `python network.py > network.json`. Every weight is filled by chirp(), so nothing
has to be copied. A tensor is written as its shape, 12 of its values and the mean of chirp-weighted values.
"""
import json
import warnings
from math import ceil, prod

import torch
import torch.nn as nn
import torch.nn.functional as F
from monai.losses import DiceLoss
from torch.utils.flop_counter import FlopCounterMode

warnings.filterwarnings('ignore')
torch.set_num_threads(1)
ACTIVATIONS = {'relu': nn.ReLU, 'leaky_relu': lambda: nn.LeakyReLU(0.01), 'elu': nn.ELU}


def chirp(shape, phase):
    index = torch.arange(prod(shape), dtype=torch.float64)
    return torch.sin(0.7 * index * index + phase).reshape(shape)


class Block(nn.Sequential):
    def __init__(self, source, width, dilation, activation):
        layers = []
        for channels in (source, width):
            layers += [
                nn.Conv3d(channels, width, 3, padding='same', dilation=dilation, bias=False),
                nn.InstanceNorm3d(width, affine=True),
                ACTIVATIONS[activation](),
            ]
        super().__init__(*layers)


class Child(nn.Module):
    """A U-Net whose skips are added: modules are made in the order in which the product lists its weights."""

    def __init__(self, architecture, channels, inputs, classes):
        super().__init__()
        self.architecture = architecture
        sources = [inputs, *channels]
        self.encoder = nn.ModuleList(
            Block(sources[i], channels[i], level['dilation'], level['activation'])
            for i, level in enumerate(architecture['encoder'])
        )
        self.decoder = nn.ModuleList()
        for i, level in enumerate(architecture['decoder']):
            self.decoder.append(nn.ModuleDict({
                'below': nn.Conv3d(channels[i + 1], channels[i], 1, bias=False),
                'skips': nn.ModuleList(nn.Conv3d(width, channels[i], 1, bias=False) for width in channels[:-1]),
                'block': Block(channels[i], channels[i], level['dilation'], level['activation']),
            }))
        self.heads = nn.ModuleList(nn.Conv3d(channels[i], classes, 1) for i in range(3))

    def strides(self, fine, coarse):
        pools = [level['pool'] for level in self.architecture['encoder'][fine + 1:coarse + 1]]
        depth, plane = prod(p['depth'] for p in pools), prod(p['plane'] for p in pools)
        return (depth, plane, plane)

    def forward(self, x):
        encoded = []
        for i, block in enumerate(self.encoder):
            if i > 0:
                x = F.max_pool3d(x, self.strides(i - 1, i), ceil_mode=True)
            x = block(x)
            encoded.append(x)
        logits = []
        for i in (3, 2, 1, 0):
            modules = self.decoder[i]

            def finer(y, level):
                y = F.interpolate(y, scale_factor=self.strides(i, level), mode='trilinear')
                return y[(..., *(slice(size) for size in encoded[i].shape[2:]))]

            x = finer(modules['below'](x), i + 1)
            for source in self.architecture['decoder'][i]['skips']:
                y = encoded[source]
                if source <= i:
                    x = x + modules['skips'][source](F.max_pool3d(y, self.strides(source, i), ceil_mode=True))
                else:
                    x = x + finer(modules['skips'][source](y), source)
            x = modules['block'](x)
            if i < 3:
                logits.insert(0, self.heads[i](x))
        return logits


def fill(network):
    """Kernels with He's variance (the mean square of chirp is 1/2), scales around 1, shifts around 0."""
    with torch.no_grad():
        for position, (name, weight) in enumerate(network.named_parameters()):
            values = chirp(weight.shape, position)
            if weight.dim() > 1:
                values = values * 2 / (weight[0].numel() ** 0.5)
            elif name.endswith('weight'):
                values = 1 + 0.2 * values
            else:
                values = 0.2 * values
            weight.copy_(values)


def label_of(shape, classes):
    return ((chirp(shape, 3) + 1) / 2 * classes).long().clamp(0, classes - 1)


def segmentation_loss(logits, label):
    dice = DiceLoss(softmax=True, to_onehot_y=True, include_background=False, smooth_nr=1e-5, smooth_dr=1e-5)
    return dice(logits, label[:, None]) + F.cross_entropy(logits, label)


def digest(tensor):
    flat = tensor.detach().double().flatten()
    values = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'shape': list(tensor.shape), 'values': values, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


def architecture(pools, dilations, activations, skips):
    return {
        'space': 'macro',
        'patch': {'depth': 16, 'height': 16, 'width': 16},
        'encoder': [
            {'pool': {'depth': pool[0], 'plane': pool[1]}, 'dilation': dilations[i], 'activation': activations[i]}
            for i, pool in enumerate([(1, 1), *pools])
        ],
        'decoder': [
            {'dilation': dilations[5 + i], 'activation': activations[5 + i], 'skips': skips[i]} for i in range(4)
        ],
    }


HALVE, KEEP, PLANE, DEPTH = (2, 2), (1, 1), (1, 2), (2, 1)
relu, leaky, elu = 'relu', 'leaky_relu', 'elu'
own = [[0], [1], [2], [3]]
base = architecture([HALVE] * 4, [1] * 9, [leaky] * 9, own)
CHILDREN = {
    'the base': (base, [2, 2, 16, 32, 32]),
    'dilated, with every activation': (
        architecture([HALVE, KEEP, HALVE, KEEP], [1, 2, 3, 2, 1, 3, 2, 2, 1],
                     [elu, relu, leaky, elu, relu, relu, elu, leaky, elu], own),
        [1, 2, 16, 16, 16],
    ),
    'skips from finer and coarser levels, of odd volumes': (
        architecture([HALVE, PLANE, DEPTH, HALVE], [2, 1, 1, 2, 1, 1, 3, 1, 2],
                     [relu, elu, relu, leaky, elu, leaky, leaky, relu, elu],
                     [[0, 1, 2, 3], [0, 3], [0, 1, 2], [1]]),
        [1, 2, 13, 21, 27],
    ),
    'anisotropic, without skips': (
        architecture([PLANE, PLANE, DEPTH, PLANE], [1] * 9, [elu] * 9, [[]] * 4),
        [2, 2, 3, 37, 20],
    ),
}


def child_reference(child, size):
    channels, inputs, classes = [4, 6, 8, 10, 12], 2, 3
    network = Child(child, channels, inputs, classes)
    fill(network)
    logits = network(chirp(size, 1).float())
    label = label_of([size[0], *size[2:]], classes)
    loss = 0
    for i, (scores, weight) in enumerate(zip(logits, (4 / 7, 2 / 7, 1 / 7))):
        depth, height, width = network.strides(0, i)
        loss = loss + weight * segmentation_loss(scores, label[:, ::depth, ::height, ::width])
    loss.backward()
    gradients = {
        'encoder.0.conv1': network.encoder[0][0].weight,
        'encoder.2.scale2': network.encoder[2][4].weight,
        'encoder.4.conv2': network.encoder[4][3].weight,
        'decoder.3.below': network.decoder[3]['below'].weight,
        'decoder.1.shift1': network.decoder[1]['block'][1].bias,
        'decoder.0.conv2': network.decoder[0]['block'][3].weight,
        'head.2': network.heads[2].weight,
        'head.0.bias': network.heads[0].bias,
    }
    return {
        'child': child, 'size': size, 'logits': [digest(level) for level in logits], 'loss': loss.item(),
        'gradients': {name: digest(weight.grad) for name, weight in gradients.items()},
    }


def choices():
    """The base with one choice changed at a time, under names as choices.test.ts builds them too: all of Table 1 but the patch."""
    for at in range(9):
        where = f'encoder {at}' if at < 5 else f'decoder {at - 5}'
        for dilation in (2, 3):
            yield f'{where} dilation {dilation}', architecture([HALVE] * 4, replaced([1] * 9, at, dilation), [leaky] * 9, own)
        for activation in (relu, elu):
            yield f'{where} activation {activation}', architecture([HALVE] * 4, [1] * 9, replaced([leaky] * 9, at, activation), own)
    for level in range(1, 5):
        for name, pool in (('pool_depth', PLANE), ('pool_plane', DEPTH)):
            yield f'encoder {level} {name} 1', architecture(replaced([HALVE] * 4, level - 1, pool), [1] * 9, [leaky] * 9, own)
    for level in range(4):
        for source in range(4):
            skips = [] if source == level else sorted([level, source])
            yield (f'decoder {level} skip {source} {str(source != level).lower()}',
                   architecture([HALVE] * 4, [1] * 9, [leaky] * 9, replaced(own, level, skips)))


def replaced(values, at, value):
    return [*values[:at], value, *values[at + 1:]]


def choice_reference(child):
    network = Child(child, [4, 6, 8, 10, 12], 2, 3)
    fill(network)
    with torch.no_grad():
        return digest(network(chirp([1, 2, 32, 64, 64], 1).float())[0])


def loss_reference(shape, present):
    """Of logits that agree with a label of the first `present` classes only."""
    logits = (3 * chirp(shape, 2)).float().requires_grad_()
    label = label_of([shape[0], *shape[2:]], present)
    loss = segmentation_loss(logits, label)
    loss.backward()
    return {'shape': shape, 'present': present, 'loss': loss.item(), 'gradient': digest(logits.grad)}


def multiply_adds(child):
    """Of the network that the product uses, for a voxel of the input and without the heads."""
    with torch.device('meta'):
        network = Child(child, [16, 32, 64, 128, 128], 1, 3)
        image = torch.empty(1, 1, 32, 64, 64)
    for i, head in enumerate(network.heads):
        network.heads[i] = nn.Identity()
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() / 2 / (32 * 64 * 64)


if __name__ == '__main__':
    print(json.dumps({
        'children': {name: child_reference(*child) for name, child in CHILDREN.items()},
        'choices': {name: choice_reference(child) for name, child in [('base', base), *choices()]},
        'losses': [loss_reference([2, 3, 4, 5, 6], 3), loss_reference([1, 4, 3, 6, 5], 2), loss_reference([2, 2, 1, 4, 4], 1)],
        'multiply_adds': {name: multiply_adds(child) for name, (child, _) in CHILDREN.items()},
    }))
