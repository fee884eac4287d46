"""Writes resampling.json: what scikit-image and SciPy make of the volumes that resampling.test.ts resamples.

Made with scikit-image 0.26.0, SciPy 1.17.1 and numpy: `python resampling.py > resampling.json`. Images are sin(0.7 i), labels are the
remainders of i * i * 7 // 5 by 4, logits are 3 sin(0.7 i + 1), each in row-major order. Along `nearest_axis` nothing is interpolated, as
nnU-Net 2.6 resamples separately: planes by resize, then the axis by map_coordinates of order 0.
"""
import json
import numpy as np
from scipy.ndimage import map_coordinates
from scipy.special import softmax
from skimage.transform import resize

cases = [
    {'shape': [4, 5, 6], 'size': [7, 4, 9], 'nearest_axis': None},
    {'shape': [9, 8, 7], 'size': [4, 13, 7], 'nearest_axis': None},
    {'shape': [5, 6, 7], 'size': [8, 9, 5], 'nearest_axis': 0},
    {'shape': [6, 7, 5], 'size': [8, 4, 9], 'nearest_axis': 2},
    {'shape': [1, 3, 2], 'size': [3, 8, 5], 'nearest_axis': None},
]


def resized(volume, size, order, nearest_axis):
    options = {'order': order, 'mode': 'edge', 'anti_aliasing': False, 'clip': False}
    if nearest_axis is None:
        return resize(volume, size, **options)
    plane = [length for axis, length in enumerate(size) if axis != nearest_axis]
    planes = [resize(part, plane, **options) for part in np.moveaxis(volume, nearest_axis, 0)]
    stacked = np.stack(planes, nearest_axis)
    scales = [before / after for before, after in zip(stacked.shape, size)]
    places = [scale * (index + 0.5) - 0.5 for scale, index in zip(scales, np.mgrid[tuple(slice(length) for length in size)])]
    return map_coordinates(stacked, places, order=0, mode='nearest')


results = []
for case in cases:
    shape, size, axis = case['shape'], case['size'], case['nearest_axis']
    count = int(np.prod(shape))
    image = np.sin(0.7 * np.arange(count)).astype(np.float32).astype(float).reshape(shape)
    labels = (np.arange(count) ** 2 * 7 // 5 % 4).reshape(shape)
    logits = (3 * np.sin(0.7 * np.arange(3 * count) + 1)).astype(np.float32).astype(float).reshape([3, *shape])
    cubic = np.clip(resized(image, size, 3, axis), image.min(), image.max())
    shares = np.stack([resized((labels == label).astype(float), size, 1, axis) for label in range(4)])
    ordered = np.sort(shares.round(9), 0)
    winners = np.where(ordered[-1] > ordered[-2], shares.argmax(0), -1)  # -1 where two have the same share
    probabilities = np.stack([resized(one, size, 1, None) for one in softmax(logits, 0)])
    results.append({**case, 'cubic': cubic.round(7).ravel().tolist(), 'labels': winners.ravel().tolist(),
                    'probabilities': probabilities.round(7).ravel().tolist()})
print(json.dumps(results))
