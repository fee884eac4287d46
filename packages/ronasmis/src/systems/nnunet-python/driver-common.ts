/** What all of the Python program needs: how it is told and tells, and its time. */
export const commonPart = String.raw`# Runs nnU-Net v2 for RONASMIS. A JSON file tells it what to do; lines of JSON on its standard output tell what happens.
import inspect, json, math, multiprocessing, os, random, resource, signal, statistics, sys, threading, time

BEGAN = time.monotonic()
JOB = {}
# What is kept on the disk, so that a killed run can go on.
STATE = {}
LINES = None


def tell(event, **what):
    LINES.write(json.dumps({'event': event, **what}) + '\n')
    LINES.flush()


def spent():
    """Seconds of the run's time that are used up."""
    return JOB['seconds_used'] + time.monotonic() - BEGAN


def keep_state(**what):
    STATE.update(what, seconds=spent())
    if 'state' not in JOB:
        return
    with open(JOB['state'] + '.new', 'w') as file:
        json.dump(STATE, file)
    os.replace(JOB['state'] + '.new', JOB['state'])


def open_lines():
    """Our lines alone go to the standard output; what nnU-Net prints goes where its errors go, to the log."""
    global LINES
    LINES = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)


def end_with_parent():
    """Whoever started us holds our standard input open while it lives: a run that goes on must not meet an older one."""
    def wait():
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)
    threading.Thread(target=wait, daemon=True).start()


def choose_device():
    import torch
    there = torch.cuda.is_available()
    if JOB['device'] == 'cuda' and not there:
        tell('no_cuda')
        sys.exit(3)
    name = 'cuda' if there and JOB['device'] != 'cpu' else 'cpu'
    tell('started', device=name, threads=JOB['threads'] if name == 'cpu' else 1)
    return torch.device(name)


def settle_threads(device):
    """As nnU-Net's own program does before it trains: all that there are, but where a GPU computes, one."""
    import torch
    torch.set_num_threads(JOB['threads'] if device.type == 'cpu' else 1)
    torch.backends.cudnn.benchmark = device.type == 'cuda'


def peak_memory_bytes(device):
    import torch
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated()
    # Kilobytes on Linux, bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)
`;
