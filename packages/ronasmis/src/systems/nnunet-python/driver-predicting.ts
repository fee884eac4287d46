/** How the Python program segments scans, and what that will take. */
export const predictingPart = `
# Seconds in which nnU-Net's process ends and its label maps are scored, and how much longer than it was measured the rest may take.
ENDING_SECONDS, CAUTION = 3, 1.1


def prediction_seconds(trainer, opening_seconds):
    """What the test cases will take: passes of the network by the time of one, the way there and back by that of a training case, and what it
    takes to close the trainer and open the predictor by what it took to open the trainer."""
    import torch
    from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape as way_back
    from nnunetv2.inference.sliding_window_prediction import compute_steps_for_sliding_window
    plans, configuration = trainer.plans_manager, trainer.configuration_manager
    patch = configuration.patch_size
    tiles = 0
    for case in JOB['cases']:
        axes = zip(plans.transpose_forward, configuration.spacing, patch)
        shape = [max(size, round(case['shape'][axis] * case['spacing'][axis] / spacing)) for axis, spacing, size in axes]
        tiles += math.prod(len(steps) for steps in compute_steps_for_sliding_window(shape, patch, 0.5))
    passes = tiles * 2 ** len(trainer.inference_allowed_mirroring_axes or ())
    began = spent()
    preprocessor = configuration.preprocessor_class(verbose=False)
    data, _, properties = preprocessor.run_case(JOB['example']['files'], None, plans, configuration, trainer.dataset_json)
    logits = torch.zeros((trainer.label_manager.num_segmentation_heads, *data.shape[1:]))
    way_back(logits, plans, configuration, trainer.label_manager, properties)
    voxels = sum(math.prod(case['shape']) for case in JOB['cases']) / math.prod(JOB['example']['shape'])
    way = spent() - began
    one = pass_seconds(trainer)
    seconds = ENDING_SECONDS + CAUTION * (passes * one + voxels * way + opening_seconds)
    tell('reserved', seconds=seconds, passes=passes, pass_seconds=one, way_seconds=way)
    return seconds


def pass_seconds(trainer):
    """Seconds of a pass of one patch, the second of two: the first is slower."""
    import torch
    # Not the compiled one, which a prediction does without.
    network = getattr(trainer.network, '_orig_mod', trainer.network)
    trainer.set_deep_supervision_enabled(False)
    network.eval()
    patch = torch.zeros((1, trainer.num_input_channels, *trainer.configuration_manager.patch_size), device=trainer.device)
    with torch.inference_mode(), torch.autocast('cuda', enabled=trainer.device.type == 'cuda'):
        for _ in range(2):
            began = spent()
            network(patch).float().sum().item()
    trainer.set_deep_supervision_enabled(trainer.enable_deep_supervision)
    return spent() - began


def predict(device, model, cases):
    """nnU-Net's own prediction: tiles that overlap by half, weighted by a Gaussian, mirrored along all axes that were mirrored in training."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    predictor = nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=True, device=device, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(model, use_folds=(0,), checkpoint_name='checkpoint_final.pth')
    reader = predictor.plans_manager.image_reader_writer_class()
    for done, case in enumerate(cases, 1):
        began = spent()
        # Those of before a kill are whole, for they got their names last.
        if not os.path.isfile(case['out'] + '.nii.gz'):
            image, properties = reader.read_images(case['files'])
            predictor.predict_single_npy_array(image, properties, None, case['out'] + '-new', False)
            os.replace(case['out'] + '-new.nii.gz', case['out'] + '.nii.gz')
        tell('case', name=case['name'], done=done, total=len(cases), seconds=spent() - began)
`;
