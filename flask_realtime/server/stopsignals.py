"""Signals as something to wait for: the interpreter writes their numbers to a pipe."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask_realtime import host

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def received_signals(
    *more: signal.Signals,
) -> Iterator[tuple[Callable[[], int], Callable[[], None]]]:
    """Catch SIGINT, SIGTERM and `more`: yields `wait` and `stop`.

    ``wait()`` returns the number of the next signal; ``stop()``, from any thread, is like a
    SIGTERM. A second SIGINT or SIGTERM ends the process at once. For the main thread.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)

    caught = (*STOPS, *more)

    def on_signal(number: int, frame: object) -> None:
        if number in STOPS:
            signal.signal(number, signal.SIG_DFL)

    def wait() -> int:
        number = 0
        while number not in caught:  # others have handlers of the application's
            host.wait_readable(read_end)
            number = os.read(read_end, 1)[0]
        return number

    def stop() -> None:
        os.write(write_end, bytes([signal.SIGTERM]))

    previous = {number: signal.signal(number, on_signal) for number in caught}
    # A handler would not do: it runs in the main thread, and that may sleep in a system call while
    # the system gives the signal to another thread.
    waker = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    try:
        yield wait, stop
    finally:
        signal.set_wakeup_fd(waker)
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)
