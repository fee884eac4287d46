"""Reads the NIfTI files of a list with nibabel, in the faster of its two ways."""
import time

import nibabel
import numpy
from protocol import argument, serve

files = argument()['files']


def read_stored():
    for file in files:
        numpy.asanyarray(nibabel.load(file).dataobj)


def read_floats():
    for file in files:
        nibabel.load(file).get_fdata(dtype=numpy.float32)


def seconds(work):
    work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


ways = {'asanyarray(dataobj)': read_stored, 'get_fdata': read_floats}
fastest = min(ways, key=lambda name: seconds(ways[name]))
serve(ways[fastest], fastest)
