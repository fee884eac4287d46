"""Writes micro.json: children of the micro space written in PyTorch, and what they and their losses give; as network.py does.

Made with PyTorch 2.15.0 and MONAI 1.6.1: `python micro.py > micro.json`.
"""
import json

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from network import chirp, digest, fill, label_of, segmentation_loss

NODES = 3
KERNELS = {'convolution': (3, 1), 'dilated_convolution': (3, 2), 'pointwise_convolution': (1, 1)}


class Convolution(nn.Module):
    def __init__(self, width, size):
        super().__init__()
        self.kernel = nn.Conv3d(width, width, size, bias=False)
        self.norm = nn.InstanceNorm3d(width, affine=True)

    def forward(self, x, dilation):
        padding = dilation * (self.kernel.kernel_size[0] // 2)
        return F.leaky_relu(self.norm(F.conv3d(x, self.kernel.weight, padding=padding, dilation=dilation)), 0.01)


class Term(nn.ModuleList):
    """The kernels of one input of one node, whatever the operation."""

    def __init__(self, width):
        super().__init__([Convolution(width, 3), Convolution(width, 1)])

    def forward(self, x, operation):
        if operation == 'identity':
            return x
        if operation == 'max_pooling':
            return F.max_pool3d(x, 3, stride=1, padding=1)
        size, dilation = KERNELS[operation]
        return self[0 if size == 3 else 1](x, dilation)


class Cell(nn.Module):
    def __init__(self, nodes, width):
        super().__init__()
        self.nodes = nodes
        self.norm = nn.InstanceNorm3d(width, affine=True)
        self.terms = nn.ModuleList(nn.ModuleList([Term(width), Term(width)]) for _ in range(NODES))

    def forward(self, x):
        features, taken = [x], set()
        for node, terms in zip(self.nodes, self.terms):
            features.append(sum(term(features[t['input']], t['operation']) for t, term in zip(node, terms)))
            taken |= {t['input'] for t in node}
        ends = sum(features[i] for i in range(1, NODES + 1) if i not in taken)
        return F.leaky_relu(self.norm(ends), 0.01)


class Child(nn.Module):
    """Modules are made in the order in which the product lists its weights."""

    def __init__(self, architecture, channels, inputs, classes):
        super().__init__()
        self.pools = [
            (level['pool']['depth'], level['pool']['plane'], level['pool']['plane']) for level in architecture['encoder']
        ]
        sources = [inputs, *channels]
        self.encoder = nn.ModuleList()
        for i, width in enumerate(channels):
            match = nn.Conv3d(sources[i], width, 3 if i == 0 else 1, padding='same', bias=False)
            self.encoder.append(nn.Sequential(match, Cell(architecture['cell'], width)))
        self.decoder = nn.ModuleList(
            nn.ModuleDict({
                'below': nn.Conv3d(channels[i + 1], channels[i], 1, bias=False),
                'skips': nn.ModuleList(nn.Conv3d(width, channels[i], 1, bias=False) for width in channels[:-1]),
                'cell': Cell(architecture['cell'], channels[i]),
            })
            for i in range(4)
        )
        self.heads = nn.ModuleList(nn.Conv3d(channels[i], classes, 1) for i in range(3))

    def forward(self, x):
        encoded = []
        for pool, level in zip(self.pools, self.encoder):
            x = level(F.max_pool3d(x, pool, ceil_mode=True))
            encoded.append(x)
        logits = []
        for i in (3, 2, 1, 0):
            modules = self.decoder[i]
            x = F.interpolate(modules['below'](x), scale_factor=self.pools[i + 1], mode='trilinear')
            x = x[(..., *(slice(size) for size in encoded[i].shape[2:]))]
            x = modules['cell'](x + modules['skips'][i](encoded[i]))
            if i < 3:
                logits.insert(0, self.heads[i](x))
        return logits


def architecture(pools, cell):
    return {
        'space': 'micro',
        'patch': {'depth': 16, 'height': 16, 'width': 16},
        'encoder': [{'pool': {'depth': depth, 'plane': plane}} for depth, plane in [(1, 1), *pools]],
        'decoder': [{'skips': [i]} for i in range(4)],
        'cell': [[{'operation': operation, 'input': source} for operation, source in node] for node in cell],
    }


conv, dilated, point, same, pool = (
    'convolution', 'dilated_convolution', 'pointwise_convolution', 'identity', 'max_pooling'
)
HALVE, PLANE = (2, 2), (1, 2)
CHILDREN = {
    'the base': (
        architecture([HALVE] * 4, [[(conv, 0), (same, 0)], [(conv, 1), (same, 1)], [(same, 2), (same, 0)]]),
        [2, 2, 16, 32, 32],
    ),
    'every operation, of odd volumes': (
        architecture([HALVE, PLANE, HALVE, PLANE],
                     [[(dilated, 0), (point, 0)], [(pool, 1), (same, 0)], [(conv, 0), (point, 2)]]),
        [2, 2, 15, 23, 29],
    ),
    'three loose ends, of thin volumes': (
        architecture([PLANE] * 4, [[(conv, 0), (pool, 0)], [(same, 0), (point, 0)], [(dilated, 0), (same, 0)]]),
        [2, 2, 3, 37, 20],
    ),
}


def child_reference(child, size):
    network = Child(child, [4, 6, 8, 10, 12], 2, 3)
    fill(network)
    logits = network(chirp(size, 1).float())
    label = label_of([size[0], *size[2:]], 3)
    strides, loss = [1, 1, 1], 0
    for i, (scores, weight) in enumerate(zip(logits, (4 / 7, 2 / 7, 1 / 7))):
        strides = [stride * pool for stride, pool in zip(strides, network.pools[i])]
        depth, height, width = strides
        loss = loss + weight * segmentation_loss(scores, label[:, ::depth, ::height, ::width])
    loss.backward()
    cell = network.encoder[1][1]
    gradients = {
        'encoder.0.match': network.encoder[0][0].weight,
        'encoder.3.match': network.encoder[3][0].weight,
        'encoder.1.scale': cell.norm.weight,
        'decoder.2.below': network.decoder[2]['below'].weight,
        'decoder.0.skip0': network.decoder[0]['skips'][0].weight,
        'decoder.0.shift': network.decoder[0]['cell'].norm.bias,
        'head.1': network.heads[1].weight,
    }
    for node, terms in enumerate(child['cell']):
        for slot, term in enumerate(terms):
            if term['operation'] in KERNELS:
                edge = KERNELS[term['operation']][0]
                name = f'encoder.1.node{node + 1}.input{slot + 1}.{edge}x{edge}x{edge}'
                module = cell.terms[node][slot][0 if edge == 3 else 1]
                gradients[f'{name}.conv'] = module.kernel.weight
                gradients[f'{name}.shift'] = module.norm.bias
    return {
        'child': child, 'size': size, 'logits': [digest(level) for level in logits], 'loss': loss.item(),
        'gradients': {name: digest(weight.grad) for name, weight in gradients.items()},
    }


def multiply_adds(child):
    """Of the network that the product uses, for a voxel of the input and without the heads."""
    with torch.device('meta'):
        network = Child(child, [16, 32, 64, 128, 128], 1, 3)
        image = torch.empty(1, 1, 32, 64, 64)
    for i in range(3):
        network.heads[i] = nn.Identity()
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() / 2 / (32 * 64 * 64)


print(json.dumps({
    'children': {name: child_reference(*child) for name, child in CHILDREN.items()},
    'multiply_adds': {name: multiply_adds(child) for name, (child, _) in CHILDREN.items()},
}))
