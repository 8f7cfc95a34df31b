"""What the benchmarks of workers run."""

import os

from flask_realtime import job
from flask_realtime.currentrun import current_run


@job(executor="celery")
def worker_flood(running, lines: int = 1_000_000):
    """Lines of 80 characters, as fast as print() goes, on a worker."""
    line = "x" * 79
    for _ in range(lines):
        print(line)


@job(executor="celery")
def worker_note(running, path: str):
    """Append the run's id to a file, on a worker: in the order in which runs begin."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{current_run().id}\n".encode())
    os.close(descriptor)
