"""The jobs that the benchmarks start."""

import time

from flask_realtime import job


@job
def flood(running, lines: int = 1_000_000):
    """Lines of 80 characters, as fast as print() goes."""
    line = "x" * 79
    for _ in range(lines):
        print(line)


@job
def ticks(running, rate: int = 200, seconds: int = 10):
    """The monotonic time, `rate` times a second."""
    begin = time.monotonic()
    for number in range(rate * seconds):
        wait = begin + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        print(time.monotonic_ns())
