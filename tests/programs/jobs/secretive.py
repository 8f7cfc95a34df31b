"""Jobs that print what must not be seen."""

import asyncio
import sys
import threading

from flask_realtime import current_run, job, mask

SECRET = "invented-secret-0123456789"


@job
async def secretive(running):
    """Prints a secret from wherever code can print, whole and in pieces."""
    mask(SECRET)
    print(f"whole {SECRET}")
    for letter in SECRET:
        sys.stdout.write(letter)
        await asyncio.sleep(0.002)
    print()
    thread = threading.Thread(target=lambda: print(f"thread {SECRET}"))
    thread.start()
    thread.join()
    await asyncio.to_thread(print, f"error {SECRET}", file=sys.stderr)
    print(f"user {current_run().user}")
    raise LookupError(SECRET)
