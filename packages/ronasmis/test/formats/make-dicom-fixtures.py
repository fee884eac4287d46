"""Makes dicom-fixtures.json with pydicom 3.0 and highdicom 0.28: what pydicom says of the elements that are written and of texts in many character
sets, the bytes that it writes of a dataset, and, of two small series, the segmentations that highdicom makes.

Run: python make-dicom-fixtures.py ../../src/formats/dicom-dictionary.ts > dicom-fixtures.json
"""

import base64
import gzip
import io
import json
import re
import sys

import highdicom
import numpy
import pydicom
from pydicom import charset, datadict
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import write_dataset
from pydicom.sr.codedict import codes


def packed(content):
    return base64.b64encode(content).decode()


def dictionary():
    keywords = re.findall(r"^  \['(\w+)'", open(sys.argv[1]).read(), re.M)
    return [[name, datadict.tag_for_keyword(name), datadict.dictionary_VR(name)] for name in keywords]


def encoded():
    item = Dataset()
    item.SegmentNumber, item.SegmentLabel, item.SegmentDescription = 3, 'odd', 'Läsion'
    item.RecommendedDisplayCIELabValue = [1, 256, 65535]
    index = Dataset()
    index.DimensionIndexValues, index.DimensionIndexPointer = [1, 70_000], 0x0062000B
    made = Dataset()
    made.SpecificCharacterSet, made.SOPInstanceUID, made.StudyDate = 'ISO_IR 192', '1.2.3', ''
    made.PatientName, made.ImagePositionPatient = 'Müller^Jörg', ['1.5', '-2', '30']
    made.SegmentSequence, made.DimensionIndexSequence, made.SourceImageSequence = [item, Dataset()], [index], []
    made.Rows, made.PixelData = 512, b'\x01\x02\x03'
    made['PixelData'].VR = 'OB'
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, made)
    return packed(buffer.getvalue())


TEXTS = [
    ('ISO_IR 6', 'Doe^Jane'),
    ('ISO_IR 100', 'Müller^Jörg'),
    ('ISO_IR 101', 'Wałęsa^Lech'),
    ('ISO_IR 109', 'Ĝoja^Ĉu'),
    ('ISO_IR 110', 'Bērziņš^Jānis'),
    ('ISO_IR 144', 'Люкceмбypг'),
    ('ISO_IR 127', 'قباني^لنزار'),
    ('ISO_IR 126', 'Διονυσιος'),
    ('ISO_IR 138', 'שרון^דבורה'),
    ('ISO_IR 148', 'Çağlar^İnci'),
    ('ISO_IR 13', 'ﾔﾏﾀﾞ^ﾀﾛｳ'),
    ('ISO_IR 166', 'นามสกุล^ชื่อ'),
    ('ISO_IR 192', 'Wang^XiaoDong=王^小東'),
    ('GB18030', 'Wang^XiaoDong=王^小东'),
    ('GBK', 'Wang^XiaoDong=王^小东'),
    ('\\ISO 2022 IR 87', 'Yamada^Tarou=山田^太郎=やまだ^たろう'),
    ('ISO 2022 IR 13\\ISO 2022 IR 87', 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'),
    ('\\ISO 2022 IR 87\\ISO 2022 IR 159', 'Yamada^Tarou=丂丄^山'),
    ('\\ISO 2022 IR 149', 'Hong^Gildong=洪^吉洞=홍^길동'),
    ('ISO 2022 IR 100\\ISO 2022 IR 144', 'Buc^Jérôme=Люкceмбypг'),
]


def texts():
    """By pydicom's own codecs, and read back by them."""
    for sets, text in TEXTS:
        encodings = charset.convert_encodings(sets.split('\\'))
        bytes_ = b'='.join(
            b'^'.join(charset.encode_string(part, encodings) for part in group.split('^')) for group in text.split('=')
        )
        yield text_of(sets, bytes_)
    # As part 5, annex K.2, has it, by Python's codec: pydicom 3.0 leaves the escape sequences in the text.
    parts = [b'\x1b$)A' + part.encode('gb2312') for part in ('张', '小东')]
    yield ['\\ISO 2022 IR 58', packed(b'Zhang^XiaoDong=' + b'^'.join(parts)), 'Zhang^XiaoDong=张^小东']


def text_of(sets, bytes_):
    made = pydicom.valuerep.PersonName(bytes_, charset.convert_encodings(sets.split('\\')))
    return [sets, packed(bytes_), str(made)]


def rotation(x, y, z):
    """About x, then y, then z."""
    turns = []
    for axis, angle in enumerate((x, y, z)):
        turn = numpy.eye(3)
        others = [other for other in range(3) if other != axis]
        turn[numpy.ix_(others, others)] = [[numpy.cos(angle), -numpy.sin(angle)], [numpy.sin(angle), numpy.cos(angle)]]
        turns.append(turn if axis != 1 else turn.T)
    return turns[2] @ turns[1] @ turns[0]


SHAPE = (4, 3, 5)
SPACING = (2.5, 0.75, 0.9)


def series(tilt=0.0, order=(2, 0, 3, 1)):
    """An oblique series whose files and instances are in another order than its slices; a tilted gantry shifts each slice along its columns."""
    columns = rotation(0.3, -0.2, 0.5)
    for z in range(SHAPE[0]):
        made = Dataset()
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        made.SpecificCharacterSet, made.PatientName = 'ISO_IR 100', 'Müller^Jörg'
        made.PatientID, made.PatientBirthDate, made.PatientSex = 'P7', '19500101', 'F'
        made.PatientAge, made.PatientWeight = '070Y', '81.5'
        made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = '1.2.3.1', '1.2.3.2', '1.2.3.3'
        made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber = '20200102', '101112', 'S1', 'A1'
        made.ReferringPhysicianName, made.StudyDescription = 'Doe^Jane', 'Thorax'
        made.SOPClassUID, made.SOPInstanceUID = pydicom.uid.CTImageStorage, f'1.2.3.4.{order[z] + 1}'
        made.Modality, made.SeriesNumber, made.InstanceNumber = 'CT', 3, order[z] + 1
        made.PositionReferenceIndicator = 'SN'
        place = numpy.array([-31.25, 12.5, -400]) + columns @ [0, z * tilt, z * SPACING[0]]
        made.ImagePositionPatient = [f'{value:.10g}' for value in place]
        made.ImageOrientationPatient = [f'{value:.10g}' for value in columns[:, :2].T.ravel()]
        made.PixelSpacing, made.SliceThickness = list(SPACING[1:]), SPACING[0]
        made.Rows, made.Columns = SHAPE[1:]
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, 'MONOCHROME2'
        made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
        made.RescaleSlope, made.RescaleIntercept = 1, -1024
        made.PixelData = (numpy.arange(15) * 7 + z).astype('uint16').tobytes()
        yield made


# Label 5 lies in one slice alone, and label 9 nowhere.
LABELS = numpy.zeros(SHAPE, numpy.uint8)
LABELS[1:, :2, 1:4] = 2
LABELS[2, 2, 4] = LABELS[2, 0, 0] = 5
VALUES = (2, 5, 9)


def segmented(slices):
    """What highdicom makes of the labels."""
    describe = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=f'label {value}',
            segmented_property_category=codes.SCT.Tissue,
            segmented_property_type=codes.SCT.Tissue,
            algorithm_type='AUTOMATIC',
            algorithm_identification=highdicom.AlgorithmIdentificationSequence('R', codes.DCM.ArtificialIntelligence, '1'),
        )
        for number, value in enumerate(VALUES, 1)
    ]
    mask = numpy.zeros(SHAPE, numpy.uint8)
    for number, value in enumerate(VALUES, 1):
        mask[LABELS == value] = number
    made = highdicom.seg.Segmentation(
        slices, mask, 'BINARY', describe, '1.2.3.5', 9, '1.2.3.6', 1, 'M', 'N', '1', '2', omit_empty_frames=True
    )
    pixels = made.pixel_array.reshape(-1, *SHAPE[1:])
    shared = made.SharedFunctionalGroupsSequence[0]
    frames = [
        {
            'segment': frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber,
            'source': frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID,
            'position': [float(value) for value in frame.PlanePositionSequence[0].ImagePositionPatient],
            'pixels': pixels[i].ravel().tolist(),
        }
        for i, frame in enumerate(made.PerFrameFunctionalGroupsSequence)
    ]
    return {
        'frames': frames,
        'orientation': [float(value) for value in shared.PlaneOrientationSequence[0].ImageOrientationPatient],
        'spacing': [float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing],
        'segments': [segment.SegmentLabel for segment in made.SegmentSequence],
        'patient': str(made.PatientName),
    }


def stored(made):
    buffer = io.BytesIO()
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    made.save_as(buffer, enforce_file_format=True)
    return packed(gzip.compress(buffer.getvalue(), mtime=0))


def fixture(name, slices):
    files = {str(made.InstanceNumber): stored(made) for made in slices}
    return {'name': name, 'files': dict(sorted(files.items())), 'expected': segmented(slices)}


fixtures = {
    'dictionary': dictionary(),
    'encoded': encoded(),
    'texts': list(texts()),
    'labels': LABELS.ravel().tolist(),
    'series': [fixture('oblique', list(series())), fixture('of a tilted gantry', list(series(tilt=0.4)))],
}
print('{\n' + ',\n'.join(f'{json.dumps(name)}: {json.dumps(value)}' for name, value in fixtures.items()) + '\n}')
