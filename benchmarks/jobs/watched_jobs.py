"""The jobs that the benchmarks of many viewers start: they wait until all are there."""

import time
from pathlib import Path

from flask_realtime import job


def _wait_for(running, path: str):
    while not Path(path).exists() and running():
        time.sleep(0.02)


@job
def paced_lines(running, go: str, rate: int = 100, seconds: int = 10):
    """Lines of 80 characters that begin with the monotonic time, once the file `go` is there."""
    _wait_for(running, go)
    begin = time.monotonic()
    for number in range(rate * seconds):
        wait = begin + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        print(f"{time.monotonic_ns()} ".ljust(79, "."))


@job
def flooded_lines(running, go: str, mib: int = 16):
    """Lines of 80 characters, as fast as print() goes, once the file `go` is there."""
    _wait_for(running, go)
    line = "x" * 79
    for _ in range((mib << 20) // 80):
        print(line)


@job
def numbered_flood(running):
    """Lines of 80 characters with their number, as fast as print() goes, until it is stopped."""
    number = 0
    while running():
        for _ in range(1000):
            print(f"{number:079d}")
            number += 1


@job
def silence(running):
    """Nothing, until it is stopped."""
    while running():
        time.sleep(0.2)
