"""A function as a job; Stop makes `running()` False, and ends its process if that does not help."""

import time

from flask_realtime import job, progress


@job(isolation="process", timeout=3600)
def countdown(running, seconds: int = 10):
    """Count down, one line a second."""
    for left in range(seconds, 0, -1):
        if not running():
            print("stopped early")
            return
        print(left, "seconds left")
        progress(seconds - left, seconds)
        time.sleep(1)
    print("Lift-off!")
