"""Jobs in processes of their own that tell the server something."""

import sys
import time

from flask_realtime import current_run, job, mask, progress

SECRET = "invented-secret-0123456789"


@job(isolation="process")
def masked(running):
    """Prints a secret in the moment after it has said that it is one, whole and in pieces."""
    for number in range(20):
        secret = f"{SECRET}-{number}"
        mask(secret)
        print(secret)
    for letter in SECRET + "-0":
        sys.stdout.write(letter)
        time.sleep(0.002)
    print()
    print(current_run().user)
    raise LookupError(SECRET + "-7")


@job(isolation="process")
def half_done(running):
    """Says that it has done the half, and waits to be stopped."""
    for number in range(51):
        progress(number, 100, "copying")
    while running():
        time.sleep(0.01)
    print("tidied up")


@job(isolation="process")
def leaves_a_thread(running):
    """Returns while a thread of it goes on until the stop."""
    import threading

    def goes_on():
        while running():
            time.sleep(0.01)
        print("the thread has ended")

    threading.Thread(target=goes_on).start()
    print("returned")
