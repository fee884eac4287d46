/** How the Python program prepares the data and trains. */
export const trainingPart = `
# nnU-Net's own training is so many epochs of so many iterations. Its learning rate falls from epoch to epoch: where the time is short,
# epochs are, so that it has so many steps in which to fall.
MOST_EPOCHS, ITERATIONS, LEAST_EPOCHS = 1000, 250, 50
# Checkpoints may take so much of the time.
SAVING_SHARE = 0.05
# What it takes to write what was learnt, of seconds that a checkpoint takes; and seconds for it where none was written yet.
ENDING_CHECKPOINTS, ENDING_SECONDS = 2, 2
# nnU-Net's own number of processes that prepare the data, where there are as many processors.
MOST_PROCESSES = 8


def prepare():
    """nnU-Net's fingerprint, plan and preprocessing, as nnUNetv2_plan_and_preprocess -c 3d_fullres does them."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api as api
    processes = min(MOST_PROCESSES, JOB['threads'])
    with_context = multiprocessing.get_context
    if sys.platform == 'linux':
        # Workers that are spawned import PyTorch and nnU-Net again, half a minute each time; forked ones have them.
        multiprocessing.get_context = lambda method=None: with_context('fork' if method == 'spawn' else method)
    try:
        api.extract_fingerprints([1], num_processes=processes)
        api.plan_experiments([1], gpu_memory_target_in_gb=JOB['memory_gb'])
        api.preprocess([1], configurations=('3d_fullres',), num_processes=(processes,))
    finally:
        multiprocessing.get_context = with_context


def open_trainer(device):
    import numpy, torch
    from nnunetv2.run.run_training import get_trainer_from_args
    random.seed(JOB['seed'])
    numpy.random.seed(JOB['seed'])
    torch.manual_seed(JOB['seed'])
    # Version 2.7 and later want to know it, for their logs.
    known = inspect.signature(get_trainer_from_args).parameters
    again = {'continue_training': STATE.get('epoch', 0) > 0} if 'continue_training' in known else {}
    trainer = get_trainer_from_args(JOB['data_set'], '3d_fullres', 0, device=device, **again)
    # Neither a picture of the network nor one of the progress is looked at by anyone. The last checkpoint is taken, never the one that
    # was best on the validation cases, so that these need not be more than the log asks for.
    trainer.plot_network_architecture = lambda: None
    trainer.logger.plot_progress_png = lambda folder: None
    trainer.num_val_iterations_per_epoch = 1
    trainer.save_every = sys.maxsize
    trainer._best_ema = float('inf')
    # The last one is there without the other one where a kill came between the end of the training and our note of it.
    for checkpoint in (latest_checkpoint(trainer), os.path.join(trainer.output_folder, 'checkpoint_final.pth')):
        if os.path.isfile(checkpoint):
            trainer.load_checkpoint(checkpoint)
            break
    trainer.on_train_start()
    return trainer


def latest_checkpoint(trainer):
    return os.path.join(trainer.output_folder, 'checkpoint_latest.pth')


def save_latest(trainer):
    # What is saved says which epoch is next, and nnU-Net saves before it counts on.
    trainer.current_epoch -= 1
    trainer.save_checkpoint(latest_checkpoint(trainer) + '.new')
    trainer.current_epoch += 1
    os.replace(latest_checkpoint(trainer) + '.new', latest_checkpoint(trainer))


def iterations_an_epoch(done, step_seconds, end, most):
    total = done + (end - spent()) / step_seconds
    if total >= min(most, LEAST_EPOCHS * ITERATIONS):
        return ITERATIONS
    return max(done, int(total / LEAST_EPOCHS))


def train_epoch(trainer, per_epoch, end, most, steps):
    """One epoch as nnU-Net's run_training has it. The first one measures how long it is to be: its learning rate is the same in any case."""
    import torch
    trainer.on_epoch_start()
    trainer.on_train_epoch_start()
    outputs = []
    while per_epoch is None or len(outputs) < per_epoch:
        began = spent()
        outputs.append(trainer.train_step(next(trainer.dataloader_train)))
        steps.append(spent() - began)
        if per_epoch is None and len(steps) > 1 and (len(steps) > 5 or sum(steps) > 0.05 * (end - spent())):
            per_epoch = iterations_an_epoch(len(outputs), statistics.mean(steps[1:]), end, most)
        tell('step', epoch=trainer.current_epoch, done=len(outputs), total=per_epoch or ITERATIONS, loss=float(outputs[-1]['loss']))
        if end is not None and spent() + steps[-1] > end:
            break
    trainer.on_train_epoch_end(outputs)
    with torch.no_grad():
        trainer.on_validation_epoch_start()
        trainer.on_validation_epoch_end([trainer.validation_step(next(trainer.dataloader_val))])
    trainer.on_epoch_end()
    return per_epoch or len(outputs), len(outputs)


def fit(trainer, deadline, device):
    """Trains until the epochs or the time are used up: how many epochs there are is found out again at each, and the learning rate falls by that."""
    most = (JOB['epochs'] or MOST_EPOCHS) * ITERATIONS
    per_epoch = STATE.get('iterations_per_epoch') or (ITERATIONS if deadline is None else None)
    trainer.num_epochs = STATE.get('epochs') or JOB['epochs'] or MOST_EPOCHS
    iterations = STATE.get('iterations', 0)
    steps, others = [], []
    saved, saving_seconds = spent(), 0
    while trainer.current_epoch < trainer.num_epochs:
        end = None if deadline is None else deadline - max(ENDING_SECONDS, ENDING_CHECKPOINTS * saving_seconds)
        if end is not None and spent() >= end and trainer.current_epoch > 0:
            break
        trainer.lr_scheduler.max_steps = trainer.num_epochs
        began, before = spent(), len(steps)
        per_epoch, done = train_epoch(trainer, per_epoch, end, most, steps)
        iterations += done
        others.append(spent() - began - sum(steps[before:]))
        step_seconds = statistics.mean(steps[1:][-5 * per_epoch:] or steps)
        if end is not None:
            fit_in = int((end - spent()) / (per_epoch * step_seconds + statistics.mean(others)))
            trainer.num_epochs = min(math.ceil(most / per_epoch), trainer.current_epoch + max(0, fit_in))
        if spent() - saved >= saving_seconds / SAVING_SHARE and trainer.current_epoch < trainer.num_epochs:
            saving = spent()
            save_latest(trainer)
            keep_state(iterations_per_epoch=per_epoch, epochs=trainer.num_epochs, epoch=trainer.current_epoch, iterations=iterations)
            saved, saving_seconds = spent(), spent() - saving
            others[-1] += saving_seconds
        tell('epoch', epoch=trainer.current_epoch, total=trainer.num_epochs, iterations=iterations, step_seconds=step_seconds,
             learning_rate=trainer.optimizer.param_groups[0]['lr'], loss=float(trainer.logger.get_value('train_losses', -1)), epoch_seconds=spent() - began,
             peak_memory_bytes=peak_memory_bytes(device), seconds=spent())
    trainer.on_train_end()
    step_seconds = statistics.mean(steps[1:] or steps) if steps else STATE.get('step_seconds', 0)
    keep_state(iterations=iterations, iterations_per_epoch=per_epoch, epochs=trainer.current_epoch, epoch=trainer.current_epoch,
               step_seconds=step_seconds)


def train():
    import torch
    device = choose_device()
    if STATE.get('phase') is None:
        prepare()
        keep_state(phase='prepared', prepared_seconds=spent())
    tell('prepared', seconds=STATE['prepared_seconds'])
    settle_threads(device)
    if STATE['phase'] == 'prepared':
        trainer = open_trainer(device)
        if JOB['time_seconds'] is not None and spent() >= JOB['time_seconds'] - ENDING_SECONDS and STATE.get('epoch', 0) == 0:
            tell('no_time', seconds=spent())
            sys.exit(3)
        fit(trainer, JOB['time_seconds'], device)
        write_weights(trainer, JOB['weights'])
        parameters = sum(one.numel() for one in trainer.network.parameters())
        keep_state(phase='trained', parameters=parameters, peak_memory_bytes=peak_memory_bytes(device), trained_seconds=spent())
        trainer = None
    tell('trained', iterations=STATE['iterations'], iterations_per_epoch=STATE['iterations_per_epoch'], epochs=STATE['epochs'],
         step_seconds=STATE['step_seconds'], parameters=STATE['parameters'], peak_memory_bytes=STATE['peak_memory_bytes'],
         seconds=STATE['trained_seconds'])
    predict(device, JOB['model'], JOB['cases'])
`;
