"""Jobs with rules for workers."""

import time
from pathlib import Path

from flask_realtime import job


def lines(running, count, pause):
    for number in range(count):
        if not running():
            return
        print(number, flush=True)
        time.sleep(pause)


@job(queue="gpu")
def on_gpu(running):
    """Only workers of the queue gpu take it."""
    print("on gpu")


@job(executor="thread")
def here(running):
    """Stays in the web node."""
    print("here")


@job(max_runs=1)
def one_at_a_time(running):
    """No two of it at once, on however many workers."""
    lines(running, 5, 0.1)


@job(retries=1)
def again(running, mark: str, count: int = 100):
    """Comes to an end once it is begun anew; `mark` is a file that is not there yet."""
    is_first = not Path(mark).exists()
    Path(mark).touch()
    lines(running, count, 0.01)
    while is_first and running():
        time.sleep(0.05)


@job(timeout=0.5)
def too_slow(running):
    """Takes too long."""
    lines(running, 1000, 0.02)


@job(max_output_mib=0.1)
def too_much(running):
    """Prints too much."""
    while running():
        print("x" * 1000)
