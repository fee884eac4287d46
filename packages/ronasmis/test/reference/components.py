"""Which voxels SciPy finds in components that have less than half the voxels of the largest of their class, where faces, edges and corners connect: components.json.

python components.py > components.json  (scipy 1.17, numpy 2.4)
"""

import json

import numpy
from scipy import ndimage

random = numpy.random.default_rng(7)
volumes = []
for shape, share in [((5, 6, 7), 0.25), ((4, 9, 11), 0.4), ((1, 12, 13), 0.5), ((7, 1, 15), 0.3)]:
    labels = (random.random(shape) < share) * random.integers(1, 4, shape)
    small = numpy.zeros(shape, bool)
    for label in range(1, 4):
        components, count = ndimage.label(labels == label, numpy.ones((3, 3, 3)))
        sizes = numpy.bincount(components.ravel(), minlength=count + 1)[1:]
        small |= numpy.isin(components, 1 + numpy.flatnonzero(2 * sizes < sizes.max()))
    volumes.append({
        "shape": shape,
        "labels": "".join(map(str, labels.ravel())),
        "small": "".join(str(int(one)) for one in small.ravel()),
    })
print(json.dumps(volumes))
