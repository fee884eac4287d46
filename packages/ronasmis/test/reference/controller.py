"""Writes controller.json: the controller on the small space of test/controller/small-space.ts, written in PyTorch.

Made with PyTorch 2.15.0: `python controller.py > controller.json`. Weights are filled by chirp(). Gradients are of the loss
that REINFORCE descends: -(mean of log-probability * (reward - baseline)) - entropy weight * mean entropy. PPO's objective is given for
made-up log-probabilities, with its gradient to them; its update is what four epochs of Adam add to each weight. A tensor is written as
12 of its values and the mean of chirp-weighted values.
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
CLIPPING, EPOCHS, LEARNING_RATE = 0.2, 4, 1e-2


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
    """Log-probability and entropy of each decision of one child."""
    cell = nn.LSTMCell(HIDDEN, HIDDEN)
    names = {'weight_ih': 'lstm.input', 'weight_hh': 'lstm.hidden', 'bias_ih': 'lstm.input_bias', 'bias_hh': 'lstm.hidden_bias'}
    x, state = w['start'][0], (torch.zeros(HIDDEN), torch.zeros(HIDDEN))
    ended, log_probabilities, entropies = {}, [], []
    for at, (choice, options, role) in enumerate(DECISIONS):
        state = torch.func.functional_call(cell, {key: w[name] for key, name in names.items()}, (x, state))
        hidden = state[0]
        if at > 0 and isinstance(DECISIONS[at - 1][2], str):  # a level has ended, and its last choice was fed back
            ended[int(DECISIONS[at - 1][2][-1])] = hidden
        if choice == 'skip':
            attention = w['attention.score'] @ torch.tanh(w['attention.anchor'] @ ended[role] + w['attention.query'] @ hidden)
            scores = torch.stack([torch.tensor(0.0), attention[0]])
        else:
            scores = w[f'{choice}.logits'] @ hidden
        scores = TANH_CONSTANT * torch.tanh((scores + BIAS_SCALE * w[f'bias.{at}']) / TEMPERATURE)
        if at == 3 and child[2] == 1:
            scores = scores[:2]  # dilation 3 does not reach where the plane was pooled
        distribution = torch.distributions.Categorical(logits=scores)
        log_probabilities.append(distribution.log_prob(torch.tensor(child[at])))
        entropies.append(distribution.entropy())
        x = w[f'{choice}.embedding'][child[at]]
        if choice == 'skip' and child[at] == 1:
            x = x + ended[role]
    return torch.stack(log_probabilities), torch.stack(entropies)


def score_all(w):
    """Of all children [children, decisions]."""
    return map(torch.stack, zip(*(score(w, child) for child in CHILDREN)))


def clipped_objective(log_probabilities, drawn, advantages):
    ratios = torch.exp(log_probabilities - drawn)
    clipped = torch.clip(ratios, 1 - CLIPPING, 1 + CLIPPING)
    return torch.min(ratios * advantages, clipped * advantages).sum(1).mean()


def digest(tensor):
    flat = tensor.detach().double().flatten()
    values = [flat[i * (len(flat) - 1) // 11].item() for i in range(12)]
    return {'values': values, 'mean': (flat * chirp(flat.shape, 9)).mean().item()}


baseline = OLD_BASELINE
for _ in REWARDS:
    baseline = BASELINE_DECAY * baseline + (1 - BASELINE_DECAY) * sum(REWARDS) / len(REWARDS)
advantages = torch.tensor(REWARDS) - baseline

weights = make_weights()
log_probabilities, entropies = (values.sum(1) for values in score_all(weights))
loss = -(log_probabilities * advantages).mean() - ENTROPY_WEIGHT * entropies.mean()
loss.backward()

made_up = (chirp([4, 6], 0) * 0.4 - 1).float().requires_grad_()
objective = clipped_objective(made_up, (chirp([4, 6], 1) * 0.4 - 1).float(), advantages[:, None])
objective.backward()

moved = make_weights()
optimiser = torch.optim.Adam(moved.values(), lr=LEARNING_RATE)
with torch.no_grad():
    drawn, _ = score_all(moved)
for _ in range(EPOCHS):
    now, entropy = score_all(moved)
    optimiser.zero_grad()
    (-clipped_objective(now, drawn, advantages[:, None]) - ENTROPY_WEIGHT * entropy.sum(1).mean()).backward()
    optimiser.step()

print(json.dumps({
    'children': CHILDREN, 'log_probabilities': log_probabilities.tolist(), 'entropies': entropies.tolist(),
    'rewards': REWARDS, 'old_baseline': OLD_BASELINE, 'baseline': baseline,
    'gradients': {name: digest(weight.grad) for name, weight in weights.items()},
    'ppo': {
        'objective': objective.item(), 'gradient': made_up.grad.tolist(), 'learning_rate': LEARNING_RATE,
        'moves': {name: digest(moved[name] - weights[name]) for name in weights},
    },
}))
