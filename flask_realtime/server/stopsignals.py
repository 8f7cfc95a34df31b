"""Signals as something to wait for: their handlers only write to a pipe."""

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

    def on_signal(number: int, frame: object) -> None:
        os.write(write_end, bytes([number]))
        if number in STOPS:
            signal.signal(number, signal.SIG_DFL)

    def wait() -> int:
        host.wait_readable(read_end)
        return os.read(read_end, 1)[0]

    def stop() -> None:
        os.write(write_end, bytes([signal.SIGTERM]))

    previous = {number: signal.signal(number, on_signal) for number in (*STOPS, *more)}
    try:
        yield wait, stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)
