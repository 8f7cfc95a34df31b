"""Jobs with rules for their runs."""

import time

from flask_realtime import job


@job(stop_when_unwatched=5)
def to_be_watched(running):
    """A line now and then, as long as somebody looks."""
    while running():
        print("tick")
        time.sleep(0.05)


@job(keep_runs=2)
def kept_twice(running, number: int = 0):
    """One line."""
    print(number)
