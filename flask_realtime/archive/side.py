"""One side of the archive, its reading or its writing: whether it works, and since when it does."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask_realtime import host

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5  # after a failure, before the next look; then twice as long each time
LAST_RETRY_SECONDS = 10.0


class Side:
    """What may fail and come back. For greenlets of the hub's thread.

    `probe()` waits, and raises what is wrong; it is asked again and again while something is.
    `changed` is called when `reason` does, which is empty while all is well.
    """

    def __init__(self, name: str, probe: Callable[[], object]) -> None:
        self.reason = ""
        self.changed: Callable[[], None] = lambda: None
        self._name = name
        self._probe = probe
        self._back = host.Signal()
        self._stopped = False

    @property
    def works(self) -> bool:
        return not self.reason

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        self._back.set()

    def check(self) -> None:
        """Find out whether it works, now and until it does."""
        host.spawn(self._watch, 0.0)

    def failed(self, error: Exception) -> None:
        """Note that a call failed; those who wait are told when the probe succeeds."""
        if self.works:
            self._set(said(error))
            host.spawn(self._watch, FIRST_RETRY_SECONDS)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it works; False when `timeout` seconds passed before that."""
        return self.works or self._back.wait(timeout)

    def _watch(self, wait: float) -> None:
        while True:
            if wait:
                self._back.wait(wait)  # only `stop` sets it meanwhile
            if self._stopped:
                return
            try:
                self._probe()
            except Exception as error:  # noqa: BLE001  # a file system raises what it likes
                self._set(said(error))
            else:
                self._set("")
                self._back.set()
                return
            wait = min(LAST_RETRY_SECONDS, max(FIRST_RETRY_SECONDS, 2 * wait))

    def _set(self, reason: str) -> None:
        if reason == self.reason:
            return
        if not reason:
            logger.warning("the archive can be %s again", self._name)
        elif not self.reason:
            logger.error("the archive cannot be %s: %s", self._name, reason)
        self.reason = reason
        self.changed()


def said(error: Exception) -> str:
    """What an error says, on one line, for people."""
    text = " ".join(str(error).split())[:200]
    return text if isinstance(error, OSError) and text else f"{type(error).__name__}: {text}"
