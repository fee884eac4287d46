"""A training step in PyTorch: {channels, inputs, classes, batch, patch, precision, layout, compile}."""
import contextlib

import torch
from network import Network, loss
from protocol import argument, serve

task = argument()
layout = getattr(torch, task['layout'])
torch.manual_seed(1)
network = Network(task['channels'], task['inputs'], task['classes']).to(memory_format=layout)
parameters = list(network.parameters())
optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-3, fused=True)
forward = torch.compile(network) if task['compile'] else network
image = torch.rand(task['batch'], task['inputs'], *task['patch']).to(memory_format=layout)
label = torch.randint(task['classes'], (task['batch'], *task['patch']))


def precision():
    if task['precision'] == 'bf16':
        return torch.autocast('cpu', dtype=torch.bfloat16)
    return contextlib.nullcontext()


def step():
    with precision():
        logits = forward(image)
    loss(logits, label).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 12)
    optimiser.step()
    optimiser.zero_grad()


step()
serve(step, str(sum(parameter.numel() for parameter in parameters)))
