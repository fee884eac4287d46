"""Writes python.safetensors with every data type, made with safetensors 0.8.0 and PyTorch 2.15.0 by `python safetensors_file.py`."""
import torch
from safetensors.torch import save_file

values = torch.tensor([[0, 1, -2], [3.5, -0.25, 100]])
tensors = {name: values.to(getattr(torch, name)) for name in ('float32', 'float64', 'bfloat16', 'float16', 'int64', 'int32', 'int16')}
tensors['uint8'] = values.abs().to(torch.uint8)
tensors['bool'] = values > 0
tensors['scalar'] = torch.tensor(7.0)
tensors['empty'] = torch.zeros(0, 3)
save_file(tensors, 'python.safetensors', metadata={'made': 'by Python', 'é': 'ü'})
