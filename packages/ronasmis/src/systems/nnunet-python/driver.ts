import { commonPart } from './driver-common.ts';
import { predictingPart } from './driver-predicting.ts';
import { trainingPart } from './driver-training.ts';
import { weightsPart } from './driver-weights.ts';

const mainPart = `
def segment():
    device = choose_device()
    settle_threads(device)
    predict(device, JOB['model'], JOB['cases'])


# Workers that are spawned import this file as well.
if __name__ == '__main__':
    open_lines()
    end_with_parent()
    with open(sys.argv[1]) as file:
        JOB.update(json.load(file))
    if 'state' in JOB and os.path.isfile(JOB['state']):
        with open(JOB['state']) as file:
            STATE.update(json.load(file))
    {'train': train, 'segment': segment}[JOB['task']]()
`;

/**
 * The Python program that has nnU-Net v2 prepare, train and predict, through its own classes and functions. nnU-Net's commands train 1000 epochs
 * or one of a few other numbers; how many fit into a budget is known here only once a step was timed.
 */
export const driver = [commonPart, trainingPart, weightsPart, predictingPart, mainPart].join('');
