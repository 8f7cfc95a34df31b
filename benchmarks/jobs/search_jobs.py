"""Output to be searched."""

import sys

from flask_realtime import job

BLOCK = 10_000  # lines


@job
def logbook(running, mib: int = 1024, colour: bool = False):
    """Lines of some 100 bytes as programs log them, each of them different."""
    paint, reset = ("\x1b[32m", "\x1b[0m") if colour else ("", "")
    lines = written = 0
    while written < mib << 20 and running():
        block = "".join(
            f"{paint}2026-11-21 10:{number // 600_000 % 60:02}:{number // 10_000 % 60:02}{reset} "
            f"INFO worker-{number % 17} handled request {number} of /items/{number * 7919 % 99991}"
            f" in {number % 230} ms\n"
            for number in range(lines, lines + BLOCK)
        )
        sys.stdout.write(block)
        lines += BLOCK
        written += len(block)
    print("the needle in the haystack")
