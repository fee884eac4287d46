"""Makes nifti-fixtures.json with nibabel 5.4: small files of many kinds, and what nibabel reads from them.

Run: python make-nifti-fixtures.py > nifti-fixtures.json
"""

import base64
import gzip
import io
import json

import nibabel
import numpy

SHEARED = numpy.array([[-1.4, 0.1, 0.3, 10], [0.2, 0.7, -0.5, -20], [0, 0.2, 2.4, 30.5], [0, 0, 0, 1]])
TURN = nibabel.eulerangles.euler2mat(0.3, -0.2, 0.5)
# A mirrored z axis makes qfac -1.
TURNED = nibabel.affines.from_matvec(TURN @ numpy.diag([1.5, 0.75, -2.5]), [7, -8, 9])
TYPES = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64']


def fixture(name, dtype, version=1, order='<', shape=(3, 4, 2), slope=None, sform=None, qform=None, comment=None):
    image_class = nibabel.Nifti2Image if version == 2 else nibabel.Nifti1Image
    header = image_class.header_class(endianness=order)
    header.set_data_dtype(numpy.dtype(dtype).newbyteorder(order))
    header.set_data_shape(shape)
    header.set_zooms((1.5, 0.75, 2.5, 1)[: len(shape)])
    header.set_xyzt_units('mm')
    if sform is not None:
        header.set_sform(sform, code=2)
    if qform is not None:
        header.set_qform(qform, code=1)
    if slope is not None:
        header['scl_slope'], header['scl_inter'] = slope
    if comment is not None:
        header.extensions.append(nibabel.nifti1.Nifti1Extension('comment', comment))
    first = 0 if dtype.startswith('u') else -5
    values = (numpy.arange(numpy.prod(shape)) * 5 + first).astype(header.get_data_dtype())
    header['vox_offset'] = (544 if version == 2 else 352) + (16 if comment else 0)
    stream = io.BytesIO()
    header.write_to(stream)
    stream.write(b'\0' * (int(header['vox_offset']) - stream.tell()))
    stream.write(values.tobytes())
    image = image_class.from_bytes(stream.getvalue())
    return {
        'name': name,
        'gzip': base64.b64encode(gzip.compress(stream.getvalue(), mtime=0)).decode(),
        'shape': list(image.shape),
        'affine': image.affine.tolist(),
        'values': numpy.asarray(image.dataobj, dtype=float).ravel(order='F').tolist(),
    }


fixtures = [
    fixture(f'NIfTI-{version} {dtype} {order}', dtype, version=version, order=order, sform=SHEARED)
    for version, order in ((1, '<'), (1, '>'), (2, '<'), (2, '>'))
    for dtype in TYPES
]
fixtures += [
    fixture('scaled', 'int16', slope=(0.5, -3.25), sform=SHEARED),
    fixture('scaled, big-endian NIfTI-2', 'uint8', version=2, order='>', slope=(2.0, 1.0), sform=SHEARED),
    fixture('slope 0', 'int16', slope=(0, 4), sform=SHEARED),
    fixture('sform before qform', 'uint8', sform=SHEARED, qform=TURNED),
    fixture('qform', 'uint8', qform=TURNED),
    fixture('qform, NIfTI-2', 'uint8', version=2, order='>', qform=TURNED),
    fixture('no form', 'uint8'),
    fixture('channels', 'int16', shape=(3, 4, 2, 2), sform=SHEARED),
    fixture('two dimensions, no form', 'uint8', shape=(3, 4)),
    fixture('with an extension', 'uint8', sform=SHEARED, comment=b'kept'),
]
print('[\n' + ',\n'.join(json.dumps(entry) for entry in fixtures) + '\n]')
