"""Writes blocks.json: a child whose blocks have one to three convolutions, some with shortcuts, written in PyTorch, and what it gives.

Made with PyTorch 2.15.0: `python blocks.py > blocks.json`. Every weight is filled by chirp() at its position in the order of the product's list,
as in network.py. A tensor is written as its shape, 12 of its values and the mean of chirp-weighted values.
"""
import json
from math import prod

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
CHANNELS, INPUTS, CLASSES = [4, 6, 8, 10, 12], 2, 3


def chirp(shape, phase):
    index = torch.arange(prod(shape), dtype=torch.float64)
    return torch.sin(0.7 * index * index + phase).reshape(shape)


class Block(nn.Module):
    """Convolutions, each with its norm and leaky ReLU; what comes in is added to what they make of it, by a 1x1x1 convolution where it is narrower."""

    def __init__(self, source, width, level):
        super().__init__()
        layers = []
        for channels in (source, width, width)[:level.get('convolutions', 2)]:
            layers += [
                nn.Conv3d(channels, width, 3, padding='same', dilation=level['dilation'], bias=False),
                nn.InstanceNorm3d(width, affine=True),
                nn.LeakyReLU(0.01),
            ]
        self.layers = nn.Sequential(*layers)
        self.residual = level.get('residual', False)
        self.shortcut = nn.Conv3d(source, width, 1, bias=False) if self.residual and source != width else nn.Identity()

    def forward(self, x):
        return self.layers(x) + self.shortcut(x) if self.residual else self.layers(x)


class Child(nn.Module):
    def __init__(self, architecture):
        super().__init__()
        sources = [INPUTS, *CHANNELS]
        self.encoder = nn.ModuleList(
            Block(sources[i], CHANNELS[i], level) for i, level in enumerate(architecture['encoder'])
        )
        self.decoder = nn.ModuleList(
            nn.ModuleDict({
                'below': nn.Conv3d(CHANNELS[i + 1], CHANNELS[i], 1, bias=False),
                'skip': nn.Conv3d(CHANNELS[i], CHANNELS[i], 1, bias=False),
                'block': Block(CHANNELS[i], CHANNELS[i], level),
            })
            for i, level in enumerate(architecture['decoder'])
        )
        self.head = nn.Conv3d(CHANNELS[0], CLASSES, 1)

    def forward(self, x):
        encoded = []
        for i, block in enumerate(self.encoder):
            x = block(x if i == 0 else F.max_pool3d(x, 2, ceil_mode=True))
            encoded.append(x)
        for i in (3, 2, 1, 0):
            modules = self.decoder[i]
            below = F.interpolate(modules['below'](x), scale_factor=2, mode='trilinear')
            below = below[(..., *(slice(size) for size in encoded[i].shape[2:]))]
            x = modules['block'](below + modules['skip'](encoded[i]))
        return self.head(x)


def fill(network):
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


def digest(tensor):
    flat = tensor.detach().double().flatten()
    values = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'shape': list(tensor.shape), 'values': values, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


def level(convolutions, residual, dilation=1, **own):
    return {'dilation': dilation, 'activation': 'leaky_relu', 'convolutions': convolutions, 'residual': residual, **own}


ARCHITECTURE = {
    'space': 'macro',
    'patch': {'depth': 16, 'height': 16, 'width': 16},
    'encoder': [
        level(3, True, pool={'depth': 1, 'plane': 1}),
        level(1, True, pool={'depth': 2, 'plane': 2}),
        level(2, True, dilation=2, pool={'depth': 2, 'plane': 2}),
        level(1, False, pool={'depth': 2, 'plane': 2}),
        level(3, False, pool={'depth': 2, 'plane': 2}),
    ],
    'decoder': [
        level(1, True, skips=[0]), level(3, True, skips=[1]), level(2, False, skips=[2]), level(1, False, skips=[3]),
    ],
}
SIZE = [2, INPUTS, 19, 33, 26]
network = Child(ARCHITECTURE)
fill(network)
logits = network(chirp(SIZE, 1).float())
print(json.dumps({'child': ARCHITECTURE, 'size': SIZE, 'logits': digest(logits)}, indent=1))
