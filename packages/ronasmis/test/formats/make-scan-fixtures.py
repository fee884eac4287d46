"""Makes scan-fixtures.json with SimpleITK 2.5 and pydicom 3.0 (with pyjpegls): small NRRD, MetaImage and DICOM files of many
kinds (compressed by gzip), and what nibabel 5.4 reads from the NIfTI file that SimpleITK makes of each.

Run: python make-scan-fixtures.py > scan-fixtures.json
"""

import base64
import gzip
import json
import os
import tempfile

import nibabel
import numpy
import pydicom
import SimpleITK as sitk

ORIGIN = (10.0, -20.0, 30.5)
SPACING = (0.8, 0.9, 2.5)
# A left-handed one, of which the second axis is mirrored.
OBLIQUE = nibabel.eulerangles.euler2mat(0.3, -0.2, 0.5) @ numpy.diag([1, -1, 1])
TURNED = nibabel.eulerangles.euler2mat(-0.4, 0.1, 0.2)
TYPES = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64']


def image(dtype, components=1, direction=OBLIQUE, shape=(2, 4, 5)):
    shape = shape if components == 1 else (*shape, components)
    first = 0 if dtype.startswith('u') else -17
    values = (numpy.arange(numpy.prod(shape)).reshape(shape) * 3 + first).astype(dtype)
    if dtype.startswith('float'):
        values /= 4
    made = sitk.GetImageFromArray(values, isVector=components > 1)
    made.SetOrigin(ORIGIN)
    made.SetSpacing(SPACING)
    made.SetDirection(direction.ravel())
    return made


def write(made, name, compressed=False):
    return lambda folder: sitk.WriteImage(made, os.path.join(folder, name), useCompression=compressed)


def replaced(writer, name, old, new):
    def change(folder):
        writer(folder)
        path = os.path.join(folder, name)
        content = open(path, 'rb').read()
        assert old in content
        open(path, 'wb').write(content.replace(old, new))

    return change


# What a tilted gantry does: millimetres that each slice is moved along its rows.
TILT = 0.4


def series(direction=TURNED, rescale=lambda z: (1, 0), order=(2, 0, 1), change=lambda slice: None, compressed=False, tilt=0):
    """Slices as SimpleITK writes them, in files whose names say nothing of their order; `change` is given each as pydicom has it."""

    def make(folder):
        made = image('int16', direction=direction, shape=(3, 4, 5))
        os.mkdir(os.path.join(folder, 'series'))
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        for z in range(3):
            slice = made[:, :, z]
            columns = numpy.reshape(direction, (3, 3)).T
            slope, intercept = rescale(z)
            position = made.TransformIndexToPhysicalPoint((0, 0, z)) + z * tilt * columns[0]
            tags = {
                '0008|0060': 'CT',
                '0008|0016': '1.2.840.10008.5.1.4.1.1.2',
                '0020|000d': '1.2.826.0.1.3680043.8.498.1',
                '0020|000e': '1.2.826.0.1.3680043.8.498.2',
                '0020|0032': '\\'.join(f'{value:.10g}' for value in position),
                '0020|0037': '\\'.join(f'{value:.10g}' for value in numpy.ravel(columns[:2])),
            }
            for tag, value in tags.items():
                slice.SetMetaData(tag, value)
            path = os.path.join(folder, 'series', f'{order[z]}.dcm')
            writer.SetFileName(path)
            writer.Execute(slice)
            stored = pydicom.dcmread(path)
            stored.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            stored.RescaleSlope, stored.RescaleIntercept = slope, intercept
            change(stored)
            if compressed:
                stored.compress(pydicom.uid.JPEGLSLossless)
            # Names without an ending, as scanners' exports have them.
            os.remove(path)
            stored.save_as(os.path.join(folder, 'series', f'{order[z]}'), enforce_file_format=True)

    return make


def with_sequences(slice):
    item = pydicom.Dataset()
    item.SeriesInstanceUID, item.Rows = '1.2.3', 99
    item.is_undefined_length_sequence_item = True
    slice.ReferencedSeriesSequence = pydicom.Sequence([item])
    slice['ReferencedSeriesSequence'].is_undefined_length = True
    other = pydicom.Dataset()
    other.Columns = 77
    slice.ReferencedImageSequence = pydicom.Sequence([other, other])
    private = pydicom.dataelem.DataElement(0x00191001, 'UN', b'\x00' * 70_000)
    slice.add(private)


def implicit(slice):
    with_sequences(slice)
    slice.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian


def read(path):
    if not os.path.isdir(path):
        return sitk.ReadImage(path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(path))
    return reader.Execute()


def fixture(name, path, make, affine=None):
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        files = {}
        for parent, _, names in os.walk(folder):
            for file in sorted(names):
                full = os.path.join(parent, file)
                packed = gzip.compress(open(full, 'rb').read(), mtime=0)
                files[os.path.relpath(full, folder)] = base64.b64encode(packed).decode()
        made = read(os.path.join(folder, path))
        nifti = os.path.join(folder, 'as.nii')
        sitk.WriteImage(made, nifti)
        expected = nibabel.load(nifti)
        # Components are the fifth dimension of NIfTI, behind one of time.
        values = numpy.asarray(expected.dataobj, dtype=float)
        if made.GetNumberOfComponentsPerPixel() > 1:
            values = values[:, :, :, 0]
    return {
        'name': name,
        'path': path,
        'files': dict(sorted(files.items())),
        'shape': list(values.shape),
        'affine': expected.affine.tolist() if affine is None else affine.tolist(),
        'values': values.ravel(order='F').tolist(),
    }


# ITK has no sheared images: this is what the positions and directions of the slices say.
TILTED = numpy.diag([-1, -1, 1, 1]) @ nibabel.affines.from_matvec(
    TURNED @ numpy.diag(SPACING) + TILT * numpy.outer(TURNED[:, 0], [0, 0, 1]), ORIGIN
)

fixtures = [fixture(f'NRRD {dtype}', 'a.nrrd', write(image(dtype), 'a.nrrd', dtype.endswith('16'))) for dtype in TYPES]
fixtures += [fixture(f'MetaImage {dtype}', 'a.mha', write(image(dtype), 'a.mha', dtype.endswith('16'))) for dtype in TYPES]
ras = replaced(write(image('int16'), 'a.nrrd'), 'a.nrrd', b'left-posterior-superior', b'right-anterior-superior')
fixtures += [
    fixture('NRRD towards right, anterior, superior', 'a.nrrd', ras),
    fixture('NRRD of two channels', 'a.nrrd', write(image('int16', 2), 'a.nrrd', True)),
    fixture('MetaImage of three channels', 'a.mha', write(image('uint8', 3), 'a.mha')),
    fixture('NRRD of four dimensions', 'a.nrrd', write(sitk.JoinSeries([image('int16'), image('int16') + 7]), 'a.nrrd')),
    fixture('NRRD header and voxels', 'a.nhdr', write(image('int16'), 'a.nhdr')),
    fixture('NRRD header and compressed voxels', 'a.nhdr', write(image('float32'), 'a.nhdr', True)),
    fixture('MetaImage header and voxels', 'a.mhd', write(image('int16'), 'a.mhd')),
    fixture('MetaImage header and compressed voxels', 'a.mhd', write(image('uint8'), 'a.mhd', True)),
    fixture('DICOM', 'series', series()),
    fixture('DICOM of Hounsfield units', 'series', series(rescale=lambda z: (1, -1024))),
    fixture('DICOM whose slices have a slope each', 'series', series(rescale=lambda z: (0.25 + z / 8, z))),
    fixture('DICOM with sequences and a long header', 'series', series(change=with_sequences)),
    fixture('DICOM without types', 'series', series(change=implicit)),
    fixture('DICOM with tilted slices', 'series', series(tilt=TILT), TILTED),
    fixture('DICOM, compressed', 'series', series(compressed=True)),
]
print('[\n' + ',\n'.join(json.dumps(entry) for entry in fixtures) + '\n]')
