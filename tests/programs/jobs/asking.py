"""Jobs that ask, that are silent, and that say how far they are."""

import sys
import threading
import time
from getpass import getpass
from pathlib import Path

from tqdm import tqdm

from flask_realtime import job, mask, progress

RECORDINGS = Path("frontend/tests/terminal/recordings")  # of the project


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


@job
def says_progress(running, steps: int = 20):
    """Says how far it is, draws a bar beside, and waits at the half to be answered."""
    mask("sesame-1234")
    for step in tqdm(range(steps), file=sys.stderr, mininterval=0):
        if step == steps // 2:
            input("go on? ")
        progress(step + 1, steps, "password sesame-1234")


@job
def draws_tqdm(running, steps: int = 20):
    """A bar of tqdm in a bar, and a question at the half."""
    for step in tqdm(range(steps), desc="outer", mininterval=0):
        if step == steps // 2:
            input("go on? ")
        for _ in tqdm(range(3), desc="inner", leave=False, mininterval=0):
            pass


@job
def draws_rich(running):
    """Writes what rich wrote to a terminal, up to its middle, asks, and writes the rest."""
    project = Path(__file__).resolve().parents[3]  # there is none where it is in a container
    output = (project / RECORDINGS / "rich_flood.bin").read_bytes()
    half = len(output) // 2
    sys.stdout.buffer.write(output[:half])
    input("\ngo on? ")
    sys.stdout.buffer.write(output[half:])


@job
def says_percent(running):
    """Text that says percent, and no bar."""
    for number in range(101):
        print(f"{number}% of people, {number}/100 of them")
    input("go on? ")


@job(isolation="process")
def asks_apart(running, times: int = 1):
    """As asks, in a process of its own."""
    asks(running, times)


@job(isolation="process")
def asks_password_apart(running):
    """As asks_password, in a process of its own."""
    asks_password(running)


@job(isolation="process", terminal=False)
def asks_password_on_pipes(running):
    """As asks_password, in a process without a terminal."""
    asks_password(running)


@job(isolation="process")
def adds_up_apart(running):
    """As adds_up, in a process of its own."""
    adds_up(running)


@job(isolation="process")
def reads_nothing_apart(running):
    """As reads_nothing, in a process of its own."""
    reads_nothing(running)


@job(isolation="process")
def computes_apart(running):
    """As computes, in a process of its own."""
    computes(running)


@job(isolation="process")
def deadlocks_apart(running):
    """As deadlocks, in a process of its own."""
    deadlocks(running)


@job(isolation="process")
def draws_tqdm_apart(running, steps: int = 20):
    """As draws_tqdm, in a process of its own."""
    draws_tqdm(running, steps)


@job(isolation="process")
def says_progress_apart(running, steps: int = 20):
    """As says_progress, in a process of its own."""
    says_progress(running, steps)
