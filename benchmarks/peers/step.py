"""A training step in PyTorch: {channels, inputs, classes, batch, patch, device, precision, layout, compile}."""
import contextlib

import torch
from network import Network, loss
from protocol import argument, serve

task = argument()
layout = getattr(torch, task['layout'])
device = task['device']
# As everyone who trains on a GPU sets it.
torch.backends.cudnn.benchmark = True
torch.set_float32_matmul_precision('high')
torch.manual_seed(1)
network = Network(task['channels'], task['inputs'], task['classes']).to(device, memory_format=layout)
parameters = list(network.parameters())
optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-3, fused=True)
forward = torch.compile(network) if task['compile'] else network
image = torch.rand(task['batch'], task['inputs'], *task['patch']).to(device, memory_format=layout)
label = torch.randint(task['classes'], (task['batch'], *task['patch'])).to(device)


def precision():
    if task['precision'] == 'bf16':
        return torch.autocast(device, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def step():
    with precision():
        logits = forward(image)
    value = loss(logits, label)
    value.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 12)
    optimiser.step()
    optimiser.zero_grad()
    # Ours tells the loss of each step too; a GPU has then finished.
    value.item()


step()
serve(step, str(sum(parameter.numel() for parameter in parameters)))
