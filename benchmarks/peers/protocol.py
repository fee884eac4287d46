"""How a peer is told what to do: its first argument is JSON; a line on stdin asks for one repetition, and it prints its seconds."""
import json
import os
import sys
import time

# What libraries print must not come between the figures.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)


def argument():
    return json.loads(sys.argv[1])


def serve(repetition, about=''):
    """Says that it is ready, then times `repetition` whenever it is asked to."""
    print(about, file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        repetition()
        print(time.perf_counter() - start, file=answers, flush=True)
