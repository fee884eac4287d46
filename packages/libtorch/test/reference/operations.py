"""Writes operations.json: what PyTorch makes of the operations that operations.test.ts checks.

Made with PyTorch 2.15.0: `python operations.py > operations.json`. Inputs are wave(shape, phase); of an output y and of the
gradients of the loss sum(y * wave(y, 9)) the first value, the last one and the sum of wave-weighted values are written.
"""
import json
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def wave(shape, phase, dtype=torch.float32):
    count = torch.Size(shape).numel()
    return torch.sin(torch.arange(count, dtype=torch.float64) * 0.7 + phase).reshape(shape).to(dtype)


def digest(tensor):
    flat = tensor.detach().double().flatten()
    return [flat[0].item(), flat[-1].item(), (flat * wave(flat.shape, 9, torch.float64)).sum().item()]


volume = [2, 4, 4, 6, 4]
cases = {
    'conv3d': ([volume, [6, 4, 3, 3, 3], [6]], lambda x, w, b: F.conv3d(x, w, b, padding=1)),
    'conv3d, stride 2': ([volume, [6, 4, 3, 3, 3], [6]], lambda x, w, b: F.conv3d(x, w, b, stride=2, padding=1)),
    'conv3d, dilation 2': ([volume, [6, 4, 3, 3, 3], [6]], lambda x, w, b: F.conv3d(x, w, b, padding=2, dilation=2)),
    'convTranspose3d': ([volume, [4, 3, 2, 2, 2], [3]], lambda x, w, b: F.conv_transpose3d(x, w, b, stride=2)),
    'instanceNorm': ([volume, [4], [4]], lambda x, w, b: F.instance_norm(x, weight=w, bias=b)),
    'groupNorm': ([volume, [4], [4]], lambda x, w, b: F.group_norm(x, 2, w, b)),
    'maxPool3d': ([volume], lambda x: F.max_pool3d(x, 2)),
    'averagePool3d': ([volume], lambda x: F.avg_pool3d(x, 2)),
    'upsampleTrilinear3d': ([volume], lambda x: F.interpolate(x, scale_factor=2, mode='trilinear')),
    'upsampleNearest3d': ([volume], lambda x: F.interpolate(x, scale_factor=2, mode='nearest')),
    'leakyRelu': ([volume], lambda x: F.leaky_relu(x, 0.01)),
    'elu': ([volume], lambda x: F.elu(x)),
    'sigmoid': ([volume], torch.sigmoid),
    'softmax': ([volume], lambda x: F.softmax(x, 1)),
    'logSoftmax': ([volume], lambda x: F.log_softmax(x, 1)),
    'concatenate': ([volume, volume], lambda a, b: torch.cat([a, b], 1)),
    'crossEntropyLoss': ([[2, 3, 4]], lambda x: F.cross_entropy(x, torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]]))),
    'linear': ([[3, 5], [4, 5], [4]], F.linear),
    'matrixProduct': ([[3, 5], [5, 2]], torch.matmul),
    'lstmCell': ([[2, 3], [2, 4], [2, 4], [16, 3], [16, 4], [16], [16]], lambda x, h, c, *w: torch.cat(torch.lstm_cell(x, (h, c), *w))),
    'embedding': ([[5, 3]], lambda w: F.embedding(torch.tensor([[0, 4], [2, 2]]), w)),
    'sum': ([volume], lambda x: x.sum([2, 3, 4])),
    'mean': ([volume], lambda x: x.mean([2, 3, 4], keepdim=True)),
    'pad': ([volume], lambda x: F.pad(x, [1, 2, 0, 1, 2, 0], value=0.5)),
    'index': ([volume], lambda x: x[:, torch.tensor([3, 0, 0])]),
    'divide': ([volume, [4, 1, 1, 1]], lambda a, b: a / (b * b + 1)),
}


def run(shapes, function, dtype):
    inputs = [wave(shape, phase, dtype).requires_grad_() for phase, shape in enumerate(shapes)]
    output = function(*inputs)
    (output.double() * wave(output.shape, 9, torch.float64)).sum().backward()
    return {'shape': list(output.shape), 'output': digest(output), 'gradients': [digest(x.grad) for x in inputs]}


# PyTorch 2.15 has no average pooling of bfloat16 on a CPU.
types = {name: [torch.float32] if name == 'averagePool3d' else [torch.float32, torch.bfloat16] for name in cases}
print(json.dumps({
    name: {'inputs': shapes, 'results': {str(t)[6:]: run(shapes, function, t) for t in types[name]}}
    for name, (shapes, function) in cases.items()
}))
