"""Dice, HD95 and NSD of pairs of label maps with MONAI: {pairs: [{prediction, reference, shape, spacing}], tolerance}.

Label maps are files of raw uint8, [depth, height, width]; they are in memory before anything is timed.
"""
import numpy
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice
from protocol import argument, serve

task = argument()


def read(pair, name):
    return torch.from_numpy(numpy.fromfile(pair[name], dtype=numpy.uint8).reshape(pair['shape']))


pairs = [
    (read(pair, 'prediction'), read(pair, 'reference'), [float(length) for length in pair['spacing']])
    for pair in task['pairs']
]


def score():
    results = []
    for prediction, reference, spacing in pairs:
        classes = [value for value in torch.unique(torch.stack([prediction, reference])).tolist() if value > 0]
        predicted, expected = (
            torch.stack([volume == value for value in classes])[None] for volume in (prediction, reference)
        )
        results.append((
            compute_dice(predicted, expected, include_background=True),
            compute_hausdorff_distance(predicted, expected, include_background=True, percentile=95, spacing=spacing),
            compute_surface_dice(
                predicted, expected, [task['tolerance']] * len(classes), include_background=True, spacing=spacing
            ),
        ))
    return results


dice, hd95, nsd = (torch.cat([case[i].flatten() for case in score()]).mean().item() for i in range(3))
serve(score, f'{dice} {hd95} {nsd}')
