"""A process of a worker's pool: what it does between its fork and its end. Knows no Celery."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class Performer(Protocol):
    """What a process of a worker's pool runs runs on. Made there, for its main thread."""

    def perform(self, run: str) -> None:
        """Run it, if that is still to be done; return once it is over."""

    def stop(self) -> None:
        """Ask what still goes on to end, and mark what does not."""


class PoolProcess:
    """A process of the pool, once it was forked."""

    def __init__(self, start: Callable[[], Performer]) -> None:
        self._start = start
        self._performer: Performer | None = None

    def task(self) -> Callable[[str], None]:
        """A function of its own for each task."""

        def perform(run: str) -> None:
            self.perform(run)

        return perform

    def start(self, **_: object) -> None:
        """Celery lets SIGTERM raise SystemExit in the main thread, here as in all its processes."""
        # Ctrl+C is for the worker, which ends us. Not ignored: jobs would inherit that.
        signal.signal(signal.SIGINT, lambda *_: None)
        try:
            self._performer = self._start()
        except Exception:  # a process that Celery takes for ready would lose what it is given
            logger.exception("this process of the worker could not begin")
            time.sleep(1.0)  # before the worker starts another one
            sys.exit(1)

    def stop(self, **_: object) -> None:
        """What is still here is no longer anybody's after this."""
        if self._performer is not None:
            self._performer.stop()

    def perform(self, run: str) -> None:
        """In a thread, so that a signal that ends this process interrupts nothing but a wait."""
        assert self._performer is not None
        performer, faults = self._performer, list[BaseException]()

        def call() -> None:
            try:
                performer.perform(run)
            except BaseException as error:  # noqa: BLE001  # raised again, where Celery sees it
                faults.append(error)

        thread = threading.Thread(target=call, name=f"run {run}", daemon=True)
        thread.start()
        thread.join()
        if faults:
            raise faults[0]
