"""A stream that tells by itself whether a byte of it is missing, repeated or wrong."""

import sys
import time
from collections.abc import Iterator
from itertools import islice
from zlib import crc32

from flask_realtime import job

FILLER = "abcdefghijklmnopqrstuvwxyz äöü € 😀 " * 8


def pieces() -> Iterator[bytes]:
    """What is printed, line after line without an end: number, checksum of all before, filler."""
    checksum = 0
    number = 0
    while True:
        filler = FILLER[: number * 7919 % len(FILLER)].encode()
        end = (b"\n", b"\r\n", b"\x1b[0m\n", b"\xff\n")[number % 4]
        piece = b"%09d %08x %s%s" % (number, checksum, filler, end)
        yield piece
        checksum = crc32(piece, checksum)
        number += 1


def stream(lines: int) -> bytes:
    """The first lines of it."""
    return b"".join(islice(pieces(), lines))


@job
def checksummed(running, lines_per_second: int = 6000):
    """The stream in bursts, until it is asked to stop; every hundredth burst is a flood."""
    begin = time.monotonic()
    burst = 0
    number = 0
    for piece in pieces():
        sys.stdout.buffer.write(piece)
        number += 1
        if number % (5000 if burst % 100 == 99 else 150):
            continue
        burst += 1
        if not running():
            return
        wait = begin + number / lines_per_second - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, 0.5))
