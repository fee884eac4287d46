"""An addition of two tensors with four elements, as often as `calls` says."""
import torch
from protocol import argument, serve

calls = argument()['calls']
torch.set_num_threads(1)
a, b = torch.ones(4), torch.ones(4)


def add():
    with torch.no_grad():
        for _ in range(calls):
            a + b


serve(add)
