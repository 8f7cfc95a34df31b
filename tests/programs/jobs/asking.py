"""Jobs that ask, that are silent, and that say how far they are."""

import sys
import threading
import time
from getpass import getpass

from flask_realtime import job


@job
def asks(running, times: int = 1):
    """Asks for names and greets them."""
    for _ in range(times):
        print(f"Hello {input('Your name? ')}.")


@job
def asks_password(running):
    """Asks for a password, and prints it."""
    password = getpass()
    print(f"it has {len(password)} characters: {password}")


@job
def adds_up(running):
    """Adds up the numbers that it is given, to the end of its input."""
    print("sum", sum(int(line) for line in sys.stdin))


@job
def reads_nothing(running):
    """Never reads what it is given."""
    print("ready")
    while running():
        time.sleep(0.01)


@job
def computes(running):
    """Computes, and prints nothing after its first line."""
    print("ready")
    while running():
        sum(range(1000))


@job
def deadlocks(running):
    """Waits for a lock that nobody gives back."""
    lock = threading.Lock()
    lock.acquire()
    waits = threading.Thread(target=lock.acquire, name="waits", daemon=True)
    waits.start()
    print("ready")
    while running():
        waits.join(0.05)
    lock.release()
    waits.join()
