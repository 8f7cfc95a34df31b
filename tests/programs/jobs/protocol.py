"""Jobs for the tests of outages and of the protocol."""

import sys
import time

from flask_realtime import job


@job
def numbered(running, lines: int = 1000, pause_every: int = 0, pause_ms: int = 10):
    """Numbered lines of 80 bytes; it pauses after each `pause_every` of them."""
    for number in range(lines):
        if not running():
            return
        print(f"{number:079}")
        if pause_every and number % pause_every == 0:
            time.sleep(pause_ms / 1000)


@job
def both_streams(running, pairs: int = 200):
    """Alternates between stdout and stderr."""
    for number in range(pairs):
        print(f"out {number}")
        print(f"err {number}", file=sys.stderr)


class Greeter:
    def __init__(self, name: str) -> None:
        self.name = name

    @job(name="bound_method")
    def greet(self, running, times: int = 1):
        """Greets by name."""
        print(f"Hello {self.name}\n" * times, end="")


bound_method = Greeter("Ada").greet


@job
async def async_raises(running):
    """Ends with an exception in a coroutine."""
    print("before")
    raise LookupError("not in a coroutine either")
