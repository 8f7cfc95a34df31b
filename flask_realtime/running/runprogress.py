"""How far a run is: what its job says, or else the bars that it draws, as its record has it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict

from flask_realtime import host
from flask_realtime.running.barforms import Progress
from flask_realtime.running.progressreader import ProgressReader, Speed
from flask_realtime.runs import Run

LOOK_SECONDS = 0.5  # between two looks at what was said and printed
STORE_SECONDS = 2.0  # between two times that it is stored; it is told each time


class RunProgress:
    """For greenlets of the hub's thread; nothing here waits.

    `tell(run)` is called when the record has changed, `store(run)` instead when it is to be stored
    as well.
    """

    def __init__(self, run: Run, tell: Callable[[Run], None], store: Callable[[Run], None]) -> None:
        self._run = run
        self._tell = tell
        self._store = store
        self._reader = ProgressReader()
        self._said: Progress | None = None
        self._speed = Speed()
        self._looks = False
        self._stored_at = 0.0
        self._unstored = False

    def printed(self, data: bytes) -> None:
        """Look for bars in the next piece of output."""
        self._reader.feed(data)
        if not self._looks:
            self._look_soon()

    def said(self, done: float, total: float | None, label: str) -> None:
        """Show what the job says, from now on in the place of its bars."""
        percent = round(min(100 * done / total, 100.0), 1) if total else None
        self._said = Progress(percent, done, total, None, "job", label)
        if not self._looks:
            self._look_soon()

    def end(self) -> None:
        """Note what is the last."""
        self._note()

    def _look_soon(self) -> None:
        self._looks = True
        host.spawn(self._look)

    def _look(self) -> None:
        host.sleep(LOOK_SECONDS)
        self._looks = False
        if self._run.final:
            return
        changed = self._note()
        if (changed or self._unstored) and time.monotonic() - self._stored_at >= STORE_SECONDS:
            self._stored_at = time.monotonic()
            self._unstored = False
            self._store(self._run)
        elif changed:
            self._unstored = True
            self._tell(self._run)
        if self._unstored:
            self._look_soon()

    def _note(self) -> bool:
        """Put it into the record; whether that changes it."""
        now = time.monotonic()
        if self._said is None:
            progress = self._reader.read(now)
        else:
            progress = self._speed.with_eta(self._said, now)
        record = None if progress is None else asdict(progress)
        if record == self._run.progress:
            return False
        self._run.progress = record
        return True
