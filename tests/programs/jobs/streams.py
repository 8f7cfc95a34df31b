"""Jobs that print in every way there is."""

import asyncio
import functools
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask_realtime import job

POOL = ThreadPoolExecutor(1)


@job
def exact(running):
    """Bytes of every kind: EXACT in tests/programs/expected.py."""
    print("plain")
    sys.stdout.write("10%\r20%\r")
    print("\x1b[31mred\x1b[0m")
    sys.stdout.buffer.write(b"\xff\xfe raw \xf0\x9f")
    sys.stdout.buffer.write(b"\x98\x80\n")
    print("x" * 1_000_000)
    print("error", file=sys.stderr)
    print("<b>markup</b>")
    sys.stdout.write("no newline \U0001f600")


@job
def count(running, lines: int = 10, delay_ms: int = 0, label: str = ""):
    """Numbered lines."""
    for number in range(lines):
        if not running():
            print("asked to stop")
            return
        print(f"{label}{number}")
        if delay_ms:
            time.sleep(delay_ms / 1000)


@job
async def tasks(running, label: str = "t"):
    """asyncio tasks, a thread, and a pool that all runs share."""

    async def say(number: int) -> None:
        await asyncio.sleep(0)
        print(f"{label} task {number}")

    await asyncio.gather(*(say(number) for number in range(3)))
    await asyncio.to_thread(print, f"{label} to_thread")
    thread = threading.Thread(target=print, args=(f"{label} thread",))
    thread.start()
    thread.join()
    POOL.submit(print, f"{label} pool").result()


@job
def raises(running):
    """Ends with an exception."""
    print("before")
    raise LookupError("no such thing")


@job
def exits(running, code: int = 3):
    """Ends by sys.exit."""
    sys.exit(code)


@job
def ignores_stop(running):
    """Goes on whatever is asked."""
    print("busy")
    while True:
        time.sleep(0.01)


def _greet(running, greeting: str, name: str = "world"):
    """Greets."""
    print(greeting, name)


greet = job(name="greet")(functools.partial(_greet, greeting="Hello"))
