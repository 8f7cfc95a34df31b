"""Output to be searched, and to be downloaded."""

import sys
import time

from flask_realtime import job


@job
def haystack(running, lines: int = 1000, needle_every: int = 100, pause_every: int = 0):
    """Numbered lines in colour; some hold a needle, whose colour changes in its middle."""
    for number in range(1, lines + 1):
        what = "nee\x1b[1mdle" if number % needle_every == 0 else "straw"
        sys.stdout.write(f"\x1b[32m{number}\x1b[0m {what} here\r\n")
        if pause_every and number % pause_every == 0:
            time.sleep(0.01)


@job
def one_line(running, mib: int = 4):
    """A line without an end that holds three needles and bytes that are no UTF-8."""
    sys.stdout.write("first\n")
    for _ in range(mib):
        sys.stdout.buffer.write(b"\xff\xfe" + b"x" * (1 << 20))
    sys.stdout.write("needle")
    sys.stdout.write("x" * (1 << 20) + "needle needle")


@job
def flood_of(running, line: str = "straw", lines: int = 1000):
    """One line, again and again."""
    for _ in range(lines // 1000):
        sys.stdout.write(f"{line}\n" * 1000)
