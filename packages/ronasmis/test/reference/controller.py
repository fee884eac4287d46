"""Writes controller.json: the controller on the small space of test/controller/small-space.ts, written in PyTorch.

Made with PyTorch 2.15.0: `python controller.py > controller.json`. Weights are filled by chirp(). Gradients are of the loss
that REINFORCE descends: -(mean of log-probability * (reward - baseline)) - entropy weight * mean entropy. A tensor is written as 12
of its values and the mean of chirp-weighted values.
"""
import json
from math import prod

import torch
import torch.nn as nn
import torch.nn.functional as F

HIDDEN, TEMPERATURE, TANH_CONSTANT, BIAS_SCALE = 64, 5, 2.5, 250
BASELINE_DECAY, ENTROPY_WEIGHT = 0.85, 1e-4
# (choice, options, the encoder level that it ends or the one that a skip comes from)
DECISIONS = [
    ('patch_depth', 2, None), ('dilation', 3, 'ends 0'), ('pool_plane', 2, None), ('dilation', 3, 'ends 1'),
    ('skip', 2, 0), ('skip', 2, 1),
]
CHILDREN = [[0, 0, 0, 0, 0, 0], [1, 2, 0, 2, 1, 1], [0, 1, 1, 1, 1, 0], [1, 0, 1, 0, 0, 1]]
REWARDS = [0.1, 0.7, 0.4, 0.3]
OLD_BASELINE = 0.25


def chirp(shape, phase):
    index = torch.arange(prod(shape), dtype=torch.float64)
    return torch.sin(0.7 * index * index + phase).reshape(shape)


def make_weights():
    shapes = {
        'start': [1, HIDDEN], 'lstm.input': [4 * HIDDEN, HIDDEN], 'lstm.hidden': [4 * HIDDEN, HIDDEN],
        'lstm.input_bias': [4 * HIDDEN], 'lstm.hidden_bias': [4 * HIDDEN],
        'attention.anchor': [HIDDEN, HIDDEN], 'attention.query': [HIDDEN, HIDDEN], 'attention.score': [1, HIDDEN],
    }
    for at, (choice, options, _) in enumerate(DECISIONS):
        shapes[f'bias.{at}'] = [options]
        shapes[f'{choice}.embedding'] = [options, HIDDEN]
        if choice != 'skip':
            shapes[f'{choice}.logits'] = [options, HIDDEN]
    # Strong enough that choices feed through to the probabilities of later ones.
    scale = lambda name: 1 / BIAS_SCALE if name.startswith('bias') else 1 / 2
    return {
        name: (chirp(shape, i) * scale(name)).float().requires_grad_() for i, (name, shape) in enumerate(shapes.items())
    }


def score(w, child):
    """Log-probability and entropy of one child, decision by decision."""
    cell = nn.LSTMCell(HIDDEN, HIDDEN)
    names = {'weight_ih': 'lstm.input', 'weight_hh': 'lstm.hidden', 'bias_ih': 'lstm.input_bias', 'bias_hh': 'lstm.hidden_bias'}
    x, state = w['start'][0], (torch.zeros(HIDDEN), torch.zeros(HIDDEN))
    ended, log_probability, entropy = {}, 0, 0
    for at, (choice, options, role) in enumerate(DECISIONS):
        state = torch.func.functional_call(cell, {key: w[name] for key, name in names.items()}, (x, state))
        hidden = state[0]
        if choice == 'skip':
            attention = w['attention.score'] @ torch.tanh(w['attention.anchor'] @ ended[role] + w['attention.query'] @ hidden)
            scores = torch.stack([torch.tensor(0.0), attention[0]])
        else:
            scores = w[f'{choice}.logits'] @ hidden
        scores = TANH_CONSTANT * torch.tanh((scores + BIAS_SCALE * w[f'bias.{at}']) / TEMPERATURE)
        if at == 3 and child[2] == 1:
            scores = scores[:2]  # dilation 3 does not reach where the plane was pooled
        distribution = torch.distributions.Categorical(logits=scores)
        log_probability = log_probability + distribution.log_prob(torch.tensor(child[at]))
        entropy = entropy + distribution.entropy()
        x = w[f'{choice}.embedding'][child[at]]
        if choice == 'skip' and child[at] == 1:
            x = x + ended[role]
        if isinstance(role, str):
            ended[int(role[-1])] = hidden
    return log_probability, entropy


def digest(tensor):
    flat = tensor.detach().double().flatten()
    values = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'values': values, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


weights = make_weights()
log_probabilities, entropies = map(torch.stack, zip(*(score(weights, child) for child in CHILDREN)))
baseline = OLD_BASELINE
for _ in REWARDS:
    baseline = BASELINE_DECAY * baseline + (1 - BASELINE_DECAY) * sum(REWARDS) / len(REWARDS)
loss = -(log_probabilities * (torch.tensor(REWARDS) - baseline)).mean() - ENTROPY_WEIGHT * entropies.mean()
loss.backward()
print(json.dumps({
    'children': CHILDREN, 'log_probabilities': log_probabilities.tolist(), 'entropies': entropies.tolist(),
    'rewards': REWARDS, 'old_baseline': OLD_BASELINE, 'baseline': baseline,
    'gradients': {name: digest(weight.grad) for name, weight in weights.items()},
}))
