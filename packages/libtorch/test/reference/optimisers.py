"""Writes optimisers.json: parameters after each of four steps of torch.optim, made with PyTorch 2.15.0 by
`python optimisers.py > optimisers.json`. The second parameter has no gradient in the second step.
'adamW, scaled' and 'sgd, scaled' are those of torch.amp.GradScaler and its scale, with gradients that overflow in the second step."""
import json
import torch


def wave(shape, phase):
    count = torch.Size(shape).numel()
    return torch.sin(torch.arange(count, dtype=torch.float64) * 0.7 + phase).reshape(shape).float()


def train(make):
    parameters = [wave([2, 3], 0).requires_grad_(), wave([4], 1).requires_grad_()]
    optimiser = make(parameters)
    steps = []
    for step in range(4):
        optimiser.zero_grad(set_to_none=True)
        parameters[0].grad = wave([2, 3], 2 + step)
        if step != 1:
            parameters[1].grad = wave([4], 3 + step)
        optimiser.step()
        steps.append([p.detach().flatten().tolist() for p in parameters])
    return steps


def train_scaled(make):
    parameters = [wave([2, 3], 0).requires_grad_(), wave([4], 1).requires_grad_()]
    optimiser = make(parameters)
    scaler = torch.amp.GradScaler('cpu')
    steps = []
    for step in range(4):
        optimiser.zero_grad(set_to_none=True)
        loss = sum((p * wave(p.shape, phase + step)).sum() for p, phase in zip(parameters, (2, 3)))
        scaler.scale(loss * (float('inf') if step == 1 else 1)).backward()
        scaler.unscale_(optimiser)
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        scaler.step(optimiser)
        scaler.update()
        steps.append({'scale': scaler.get_scale(), 'parameters': [p.detach().flatten().tolist() for p in parameters]})
    return steps


def clip(maximum):
    parameters = [wave([2, 3], 0).requires_grad_(), wave([4], 1).requires_grad_()]
    for p, phase in zip(parameters, (2, 3)):
        p.grad = wave(p.shape, phase)
    norm = torch.nn.utils.clip_grad_norm_(parameters, maximum)
    return {'norm': norm.item(), 'gradients': [p.grad.flatten().tolist() for p in parameters]}


print(json.dumps({
    'adamW': train(lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3)),
    'adamW, defaults': train(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0)),
    'adamW, scaled': train_scaled(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.3)),
    'adam': train(lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.3)),
    'sgd': train(lambda p: torch.optim.SGD(p, lr=0.1)),
    'sgd, momentum': train(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.3, nesterov=True)),
    'sgd, scaled': train_scaled(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.3, nesterov=True)),
    'clip to 0.5': clip(0.5),
    'clip to 100': clip(100),
}))
