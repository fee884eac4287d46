"""Writes resampled_logits.json: what nnU-Net makes of logits that it brings to the scan's own grid, which resampling.test.ts compares with.

Made with nnunetv2 2.8.1: `python resampled_logits.py > resampled_logits.json`. Logits of 3 classes are 3 sin(0.7 i + 1) in row-major order. `order`,
`order_z` and `force_separate_z` are those that nnU-Net plans for them; the axis is what it finds by the two spacings.
"""
import json
import numpy as np
from nnunetv2.preprocessing.resampling.default_resampling import (
    compute_new_shape, determine_do_sep_z_and_axis, resample_data_or_seg_to_shape)

results = []
for shape, spacing, own in [
    ([4, 5, 6], [1.5, 1.2, 1.0], [0.9, 1.5, 0.7]),  # alike along all axes
    ([4, 6, 5], [5.0, 1.0, 1.0], [3.0, 1.3, 0.8]),  # thick slices at the spacing of the network
    ([4, 5, 6], [1.2, 1.0, 1.0], [1.0, 0.8, 4.0]),  # thick slices in the scan
]:
    count = 3 * int(np.prod(shape))
    logits = (3 * np.sin(0.7 * np.arange(count) + 1)).astype(np.float32).reshape([3, *shape])
    size = [int(length) for length in compute_new_shape(shape, spacing, own)]
    axis = determine_do_sep_z_and_axis(None, spacing, own)[1]
    made = resample_data_or_seg_to_shape(logits, size, spacing, own, is_seg=False, order=1, order_z=0, force_separate_z=None)
    results.append({'shape': shape, 'size': size, 'spacing': spacing, 'own_spacing': own, 'nearest_axis': None if axis is None else int(axis),
                    'logits': made.astype(float).round(5).ravel().tolist()})
print(json.dumps(results))
