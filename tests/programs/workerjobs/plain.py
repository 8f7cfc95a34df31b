"""Jobs for workers, each on a thread and in a process of its own."""

import functools
import hashlib
import os
import sys
import threading
import time
from getpass import getpass
from pathlib import Path
from typing import Annotated

from flask_realtime import Secret, Upload, job, progress


def twice(function):
    """Make two jobs of a function: as it is, and with the end _apart."""
    made = globals()[f"{function.__name__}_apart"] = functools.wraps(function)(
        lambda *args, **params: function(*args, **params)
    )
    made.__name__ = made.__qualname__ = f"{function.__name__}_apart"
    job(isolation="process")(made)
    return job(function)


@twice
def count(running, lines: int = 10, delay_ms: int = 0):
    """Numbered lines."""
    for number in range(lines):
        if not running():
            print("asked to stop")
            return
        print(number, flush=True)
        if delay_ms:
            time.sleep(delay_ms / 1000)


@twice
def exact(running):
    """All there is: raw bytes, a long line, a thread, no line feed at the end."""
    sys.stdout.buffer.write(b"\xff\xfe raw \xf0\x9f")
    sys.stdout.buffer.write(b"\x98\x80\n")
    sys.stdout.flush()
    thread = threading.Thread(target=lambda: print("10%\r20%\r"))
    thread.start()
    thread.join()
    for number in range(20_000):
        print(f"{number:06d} {'x' * 90}")
    sys.stdout.write("end")


@twice
def asks(running):
    """Wants a name and a password."""
    name = input("Your name? ")
    secret = getpass("Password: ")
    print(f"{name} has {len(secret)} letters")


@twice
def steps(running, total: int = 20):
    """Says how far it is."""
    for step in range(total):
        progress(step + 1, total, "steps")
        time.sleep(0.01)


@twice
def digest(running, file: Annotated[Path, Upload()]):
    """Says what it was given."""
    print(hashlib.sha256(file.read_bytes()).hexdigest())


@twice
def tells_a_secret(running, key: Secret):
    """Uses a secret, and prints it."""
    print(hashlib.sha256(key.encode()).hexdigest(), key)


@twice
def raises(running):
    """Ends with an exception."""
    print("before")
    raise LookupError("no such thing")


@twice
def ignores_stop(running):
    """Goes on whatever is asked."""
    print("busy", flush=True)
    while True:
        time.sleep(0.01)


@twice
def where(running):
    """What it finds around it: its process, and what that has loaded."""
    print(os.getpid(), [name for name in ("flask", "eventlet") if name in sys.modules])
