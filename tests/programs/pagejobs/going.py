"""Jobs that wait in line, tell how far they are, keep still, and do not want to end."""

import signal
import subprocess
import sys
import time

from flask_realtime import job, progress


@job(max_runs=1)
def one_at_a_time(running):
    """Run alone."""
    print("begun")
    while running():
        time.sleep(0.05)


@job(isolation="process")
def half_way(running):
    """Say how far it is, and wait at each step until it is told to go on."""
    input("Begin? ")
    progress(9, 20, "Files")
    input("Go on? ")
    progress(1234, label="Records")
    input("Go on? ")


@job(isolation="process")
def keeps_still(running):
    """Sleep in a place that is known."""
    print("still")
    rest()


def rest():
    time.sleep(3600)  # here it sleeps


@job(isolation="process", stop_grace=6)
def stubborn(running):
    """Ignore Stop, with two children that do so as well."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(2):
        subprocess.Popen(["sh", "-c", "trap '' TERM; echo child; while :; do sleep 1; done"])
    while True:
        time.sleep(0.1)


@job(isolation="process", timeout=1)
def too_long(running):
    """Break its bound."""
    while running():
        time.sleep(0.05)


@job(isolation="process", timeout=1, stop_grace=3600)
def overstays(running):
    """Break its bound, and end no sooner than by force."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(0.1)


@job(isolation="process", stop_grace=3600)
def patient(running):
    """Ignore Stop for an hour, if it is let."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready")
    while True:
        time.sleep(0.1)


@job(isolation="process")
def computes(running):
    """Compute, and print nothing."""
    print("computing")
    number = 0
    while running():
        number += 1


@job(isolation="process")
def prints_a_bar(running):
    """Print what tqdm prints, and stay there."""
    bar = " 45%|████▌     | 9/20 [00:09<00:11,  1.00s/it]"
    print(f"\r{bar}", end="", file=sys.stderr, flush=True)
    while running():
        time.sleep(0.05)
