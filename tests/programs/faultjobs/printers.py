"""Jobs of the fault tests: each prints lines that tell by themselves where they belong."""

import os
import sys
import time

from flask_realtime import job
from tests.faults.expected import line


@job
def steady(running, tag: str, lines_per_second: int = 2):
    """A line at a time, until it is asked to stop."""
    _print(running, tag, 1, lines_per_second)


@job(isolation="process")
def steady_apart(running, tag: str, lines_per_second: int = 2):
    """The same in a process of its own."""
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="w0")
def steady_at_w0(running, tag: str, lines_per_second: int = 2):
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="w1")
def steady_at_w1(running, tag: str, lines_per_second: int = 2):
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="w2")
def steady_at_w2(running, tag: str, lines_per_second: int = 2):
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="w0", isolation="process")
def apart_at_w0(running, tag: str, lines_per_second: int = 2):
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="w1", isolation="process")
def apart_at_w1(running, tag: str, lines_per_second: int = 2):
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="w2", isolation="process")
def apart_at_w2(running, tag: str, lines_per_second: int = 2):
    _print(running, tag, 1, lines_per_second)


@job(executor="celery", queue="any", retries=100)
def again(running, tag: str, lines_per_second: int = 2):
    """Whichever worker it is at, it may be begun anew at another one."""
    _print(running, tag, 1, lines_per_second)


@job
def flood(running, tag: str, lines_per_second: int = 400):
    """Many lines at once, twice a second."""
    _print(running, tag, lines_per_second // 2, lines_per_second)


@job
def burst(running, tag: str, lines: int):
    """So many lines as fast as they are taken."""
    for number in range(lines):
        sys.stdout.write(line(tag, number))


@job(isolation="process")
def vanishes(running, tag: str, lines: int = 20):
    """Leaves a grandchild in a session of its own, which holds the terminal, and ends."""
    for number in range(lines):
        sys.stdout.write(line(tag, number))
    sys.stdout.flush()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)


def _print(running, tag: str, burst: int, lines_per_second: int) -> None:
    begin = time.monotonic()
    number = 0
    while running():
        sys.stdout.write("".join(line(tag, number + each) for each in range(burst)))
        sys.stdout.flush()
        number += burst
        wait = begin + number / lines_per_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        else:
            begin = time.monotonic() - number / lines_per_second  # it had to wait: no catching up
