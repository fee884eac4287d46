"""Writes unet.json: U-Nets of nnU-Net's form by its own library, and what they give.

Made with PyTorch 2.15.0 and dynamic_network_architectures 0.4.4: `python unet.py > unet.json`. Every weight is filled by chirp(), by the
name that it has in the product, so nothing has to be copied. A tensor is written as its shape, 12 of its values and the mean of
chirp-weighted values.
"""
import json
import re
from math import prod

import torch
import torch.nn as nn
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet, ResidualUNet
from torch.utils.flop_counter import FlopCounterMode

torch.set_num_threads(1)
CLASSES = {'convolutions convolutions': PlainConvUNet, 'residual convolutions': ResidualEncoderUNet, 'residual residual': ResidualUNet}
INPUTS, OUTPUTS = 2, 3


def chirp(shape, phase):
    index = torch.arange(prod(shape), dtype=torch.float64)
    return torch.sin(0.7 * index * index + phase).reshape(shape)


def digest(tensor):
    flat = tensor.detach().double().flatten()
    values = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'shape': list(tensor.shape), 'values': values, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


def build(architecture, inputs=INPUTS, classes=OUTPUTS):
    kind = CLASSES[f"{architecture['encoder']['block']} {architecture['decoder']['block']}"]
    counts = 'n_conv_per_stage' if kind is PlainConvUNet else 'n_blocks_per_stage'
    return kind(
        input_channels=inputs, n_stages=len(architecture['features']), features_per_stage=architecture['features'],
        conv_op=nn.Conv3d, kernel_sizes=architecture['kernels'], strides=architecture['strides'], num_classes=classes,
        # The lowest stage first.
        n_conv_per_stage_decoder=architecture['decoder']['counts'][::-1], conv_bias=True, norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={'eps': 1e-5, 'affine': True}, nonlin=nn.LeakyReLU, nonlin_kwargs={'inplace': True}, deep_supervision=True,
        **{counts: architecture['encoder']['counts']},
    )


def product_name(name, stages):
    """What the product calls a parameter of the library; None for what it leaves out."""
    name = name.replace('all_modules.0.', 'conv.').replace('all_modules.1.', 'norm.')
    at = lambda index: stages - 2 - int(index)
    if match := re.fullmatch(r'decoder\.seg_layers\.(\d+)\.(weight|bias)', name):
        head = f'head.{at(match[1])}' + ('.bias' if match[2] == 'bias' else '')
        return None if at(match[1]) == stages - 2 and stages > 2 else head
    if match := re.fullmatch(r'decoder\.transpconvs\.(\d+)\.(weight|bias)', name):
        return f'decoder.{at(match[1])}.up' + ('.bias' if match[2] == 'bias' else '')
    if match := re.fullmatch(r'(?:encoder\.stem)\.convs\.0\.(\w+)\.(\w+)', name):
        return part('stem', '1', match[1], match[2])
    match = re.fullmatch(r'(encoder|decoder)\.stages\.(\d+)\.(.*)', name)
    prefix = f'{match[1]}.{match[2] if match[1] == "encoder" else at(match[2])}'
    rest = match[3]
    if match := re.fullmatch(r'(?:0\.)?convs\.(\d+)\.(\w+)\.(\w+)', rest):
        return part(prefix, str(int(match[1]) + 1), match[2], match[3])
    if match := re.fullmatch(r'blocks\.(\d+)\.conv([12])\.(\w+)\.(\w+)', rest):
        return part(f'{prefix}.block{int(match[1]) + 1}', match[2], match[3], match[4])
    match = re.fullmatch(r'blocks\.(\d+)\.skip\.\d\.(\w+)\.(\w+)', rest)
    return part(f'{prefix}.block{int(match[1]) + 1}.shortcut', '', match[2], match[3])


def part(prefix, number, module, kind):
    if module == 'norm':
        return f'{prefix}.{"scale" if kind == "weight" else "shift"}{number}'
    if kind == 'bias':
        return None
    return f'{prefix}.conv{number}' if number else prefix


def parameters_of(network, stages):
    """By the product's names; under None those that it leaves out, which change nothing: a norm takes them out, or no loss sees them."""
    found = {}
    for name, weight in network.named_parameters():
        found.setdefault(product_name(name, stages), []).append(weight)
    left_out = found.pop(None)
    return {name: weights[0] for name, weights in found.items()}, left_out


def fill(parameters, left_out):
    with torch.no_grad():
        for name, weight in parameters.items():
            values = chirp(weight.shape, sum(name.encode()) % 97)
            if weight.dim() > 1:
                values = values * 2 / (weight[0].numel() ** 0.5)
            else:
                values = 0.2 * values + (1 if 'scale' in name else 0)
            weight.copy_(values)
        for weight in left_out:
            weight.copy_(chirp(weight.shape, 5))


def take_any_size(network):
    """Poolings of a shortcut round up, and what comes back up is cut to the size of what it is concatenated with."""
    concatenate = torch.cat
    torch.cat = lambda parts, axis: concatenate((parts[0][(..., *map(slice, parts[1].shape[2:]))], parts[1]), axis)
    for module in network.modules():
        if isinstance(module, nn.AvgPool3d):
            module.ceil_mode = True


def unet(features, kernels, strides, encoder, decoder):
    return {
        'kind': 'unet', 'patch': {'depth': 8, 'height': 16, 'width': 16}, 'batch': 2, 'features': features, 'kernels': kernels,
        'strides': strides, 'encoder': encoder, 'decoder': decoder,
    }


CUBE, FLAT, SIDE = [3, 3, 3], [1, 3, 3], [3, 3, 1]
KEEP, HALVE, PLANE = [1, 1, 1], [2, 2, 2], [1, 2, 2]
CONVOLUTIONS, RESIDUAL = 'convolutions', 'residual'
NETWORKS = {
    'of convolutions': (
        unet([4, 6, 8, 10], [CUBE] * 4, [KEEP, HALVE, HALVE, PLANE], {'block': CONVOLUTIONS, 'counts': [2, 2, 2, 2]},
             {'block': CONVOLUTIONS, 'counts': [2, 2, 2]}), [2, 2, 8, 16, 24]),
    'of convolutions, anisotropic, of an odd volume': (
        unet([4, 6, 8, 8], [FLAT, FLAT, SIDE, CUBE], [KEEP, PLANE, [2, 2, 1], HALVE], {'block': CONVOLUTIONS, 'counts': [1, 2, 3, 1]},
             {'block': CONVOLUTIONS, 'counts': [3, 1, 2]}), [1, 2, 7, 21, 18]),
    'of two stages': (
        unet([4, 5], [CUBE, CUBE], [KEEP, HALVE], {'block': CONVOLUTIONS, 'counts': [1, 1]}, {'block': CONVOLUTIONS, 'counts': [1]}),
        [1, 2, 4, 6, 8]),
    'with a residual encoder': (
        unet([4, 6, 6], [FLAT, CUBE, CUBE], [KEEP, PLANE, HALVE], {'block': RESIDUAL, 'counts': [1, 2, 3]},
             {'block': CONVOLUTIONS, 'counts': [1, 1]}), [2, 2, 6, 16, 12]),
    'with a residual encoder, of an odd volume': (
        unet([4, 6, 8], [CUBE, CUBE, CUBE], [KEEP, HALVE, HALVE], {'block': RESIDUAL, 'counts': [1, 1, 2]},
             {'block': CONVOLUTIONS, 'counts': [1, 1]}), [1, 2, 11, 14, 9]),
    'of residual blocks': (
        unet([4, 6, 8], [FLAT, CUBE, CUBE], [KEEP, PLANE, HALVE], {'block': RESIDUAL, 'counts': [1, 2, 2]},
             {'block': RESIDUAL, 'counts': [1, 2]}), [2, 2, 4, 12, 16]),
}


def reference(architecture, size):
    network = build(architecture)
    take_any_size(network)
    stages = len(architecture['features'])
    parameters, left_out = parameters_of(network, stages)
    fill(parameters, left_out)
    logits = network(chirp(size, 1).float())
    logits = logits[:max(1, stages - 2)]
    # Any loss will do: each level by a chirp of its own.
    loss = sum((scores * chirp(scores.shape, 3 + level).float()).mean() for level, scores in enumerate(logits))
    loss.backward()
    first = 'stem.conv1' if architecture['encoder']['block'] == RESIDUAL else 'encoder.0.conv1'
    wanted = [first, *(name for name in ('encoder.1.block1.shortcut', 'encoder.1.block1.conv1', 'encoder.1.scale1', 'decoder.0.up',
                                         'decoder.0.up.bias', 'decoder.0.block1.scale2', 'head.0') if name in parameters)]
    return {
        'architecture': architecture, 'size': size, 'logits': [digest(level) for level in logits], 'loss': loss.item(),
        'gradients': {name: digest(parameters[name].grad) for name in wanted},
        'parameters': sum(weight.numel() for weight in parameters.values()),
        'multiply_adds': multiply_adds(architecture),
    }


def multiply_adds(architecture):
    """For a voxel of the input, of a volume that all strides divide; without the heads."""
    with torch.device('meta'):
        network = build(architecture)
        for at in range(len(network.decoder.seg_layers)):
            network.decoder.seg_layers[at] = nn.Identity()
        image = torch.empty(1, INPUTS, 16, 16, 16)
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops() / 2 / 16 ** 3


if __name__ == '__main__':
    print(json.dumps({name: reference(*network) for name, network in NETWORKS.items()}))
