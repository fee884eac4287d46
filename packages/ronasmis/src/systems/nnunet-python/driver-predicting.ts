/** How the Python program segments scans. */
export const predictingPart = `

def predict(device, model, cases):
    """nnU-Net's own prediction: tiles that overlap by half, weighted by a Gaussian, mirrored along all axes that were mirrored in training."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    began, before = spent(), STATE.get('prediction_seconds', 0)
    predictor = nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=True, device=device, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(model, use_folds=(0,), checkpoint_name='checkpoint_final.pth')
    reader = predictor.plans_manager.image_reader_writer_class()
    for done, case in enumerate(cases, 1):
        # Those of before a kill are whole, for they got their names last.
        if not os.path.isfile(case['out'] + '.nii.gz'):
            image, properties = reader.read_images(case['files'])
            predictor.predict_single_npy_array(image, properties, None, case['out'] + '-new', False)
            os.replace(case['out'] + '-new.nii.gz', case['out'] + '.nii.gz')
            keep_state(prediction_seconds=before + spent() - began)
        tell('case', name=case['name'], done=done, total=len(cases))
    tell('finished', prediction_seconds=STATE.get('prediction_seconds', 0))
`;
