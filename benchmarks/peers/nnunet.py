"""Makes what nnUNetv2_predict needs, below a folder: {folder, scans, labels, images, input, classes}.

nnU-Net plans for the data set itself; its network is freshly initialised, for the time does not depend on the weights.
`images` are written as one file per channel into `input`, to be predicted.
"""
import json
import os
from pathlib import Path

from protocol import argument, serve

task = argument()
for part in ('raw', 'preprocessed', 'results'):
    # nnU-Net reads these when it is imported.
    os.environ[f'nnUNet_{part}'] = os.path.join(task['folder'], part)

import nibabel
import torch
from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments
from nnunetv2.paths import nnUNet_preprocessed, nnUNet_raw, nnUNet_results
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

NAME = 'Dataset001_Bench'


def split_channels(image, folder):
    """One file per channel, as nnU-Net wants them; links where there is one channel. Returns their number."""
    name = Path(image).name.removesuffix('.gz').removesuffix('.nii')
    scan = nibabel.load(image)
    if len(scan.shape) == 3 and image.endswith('.nii.gz'):
        (folder / f'{name}_0000.nii.gz').symlink_to(Path(image).resolve())
        return 1
    channels = nibabel.four_to_three(scan) if len(scan.shape) == 4 else [scan]
    for i, channel in enumerate(channels):
        nibabel.save(channel, folder / f'{name}_{i:04d}.nii.gz')
    return len(channels)


def write_data_set():
    folder = Path(nnUNet_raw, NAME)
    for part in ('imagesTr', 'labelsTr'):
        (folder / part).mkdir(parents=True)
    for scan, label in zip(task['scans'], task['labels']):
        channels = split_channels(scan, folder / 'imagesTr')
        (folder / 'labelsTr' / Path(label).name).symlink_to(Path(label).resolve())
    description = {
        'channel_names': {str(i): 'MRI' for i in range(channels)},
        'labels': {'background': 0, **{f'class {i}': i for i in range(1, task['classes'])}},
        'numTraining': len(task['scans']),
        'file_ending': '.nii.gz',
    }
    (folder / 'dataset.json').write_text(json.dumps(description))
    return description


def write_model(description):
    plans = json.loads(Path(nnUNet_preprocessed, NAME, 'nnUNetPlans.json').read_text())
    manager = PlansManager(plans)
    configuration = manager.get_configuration('3d_fullres')
    inputs, classes = len(description['channel_names']), len(description['labels'])
    network = nnUNetTrainer.build_network_architecture(
        manager, configuration, inputs, classes, enable_deep_supervision=False
    )
    folder = Path(nnUNet_results, NAME, 'nnUNetTrainer__nnUNetPlans__3d_fullres')
    (folder / 'fold_0').mkdir(parents=True)
    (folder / 'dataset.json').write_text(json.dumps(description))
    (folder / 'plans.json').write_text(json.dumps(plans))
    checkpoint = {
        'network_weights': network.state_dict(),
        'trainer_name': 'nnUNetTrainer',
        'init_args': {'configuration': '3d_fullres'},
        'inference_allowed_mirroring_axes': (0, 1, 2),
    }
    torch.save(checkpoint, folder / 'fold_0' / 'checkpoint_final.pth')
    return configuration.patch_size


if __name__ == '__main__':
    description = write_data_set()
    extract_fingerprints([1], num_processes=2, show_progress_bar=False)
    plan_experiments([1])
    patch = write_model(description)
    Path(task['input']).mkdir()
    for image in task['images']:
        split_channels(image, Path(task['input']))
    serve(lambda: None, 'x'.join(map(str, patch)))
