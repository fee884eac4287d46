"""Makes orientation.json with nibabel 5.4: a small volume turned to all 48 orientations.

Run: python orientation.py > orientation.json
"""

import itertools
import json

import nibabel
import numpy
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

# A little oblique, x towards the left, y towards superior, z towards posterior.
AFFINE = numpy.array([[-0.8, 0.1, 0.2, 11], [0.1, -0.15, -2.4, -7], [0.05, 0.9, -0.3, 3.5], [0, 0, 0, 1]])
SHAPE = (2, 3, 4, 2)
image = nibabel.Nifti1Image(numpy.arange(numpy.prod(SHAPE), dtype=numpy.int16).reshape(SHAPE, order='F'), AFFINE)

turned = {}
for pairs in itertools.permutations(['RL', 'AP', 'SI']):
    for letters in itertools.product(*pairs):
        wanted = axcodes2ornt(letters)
        result = image.as_reoriented(ornt_transform(io_orientation(AFFINE), wanted))
        turned[''.join(letters)] = {
            'shape': list(result.shape),
            'affine': result.affine.tolist(),
            'data': numpy.asarray(result.dataobj).ravel(order='F').tolist(),
        }
print(json.dumps({'affine': AFFINE.tolist(), 'shape': SHAPE, 'turned': turned}))
