"""An app server that runs as a child, as the page shows it: its state, its output, its buttons."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from flask import request

from flask_realtime.proxy import ReverseProxy, Supervisor
from flask_realtime.service import ServiceStatus

LOOK_SECONDS = 0.2  # between two looks at whether to stop
SHOWN_BYTES = 1 << 16  # of its output, at a time
FAILED_STARTS = 2  # in a row, after which it counts as failed


class AppService:
    """The Service of a mounted app server (flask_realtime.service says what its methods do)."""

    def __init__(self, mounted: ReverseProxy, supervisor: Supervisor) -> None:
        self.changed: Callable[[], object] = _nobody_listens
        self._path = "" if mounted.host else f"{mounted.prefix}/"
        self._supervisor = supervisor
        supervisor.changed = lambda: self.changed()

    @property
    def href(self) -> str:
        """Its address on this origin; empty for one that has a host name of its own."""
        return self._path and request.script_root + self._path

    @property
    def status(self) -> ServiceStatus:
        now = self._supervisor.status
        state = {"ready": "running", "waiting": "restarting"}.get(now.state, now.state)
        if state == "restarting" and now.failed_starts >= FAILED_STARTS:
            state = "failed"
        return ServiceStatus(state, now.since, now.pid, now.starts, now.fault, now.held)

    def start(self) -> None:
        self._supervisor.start()

    def stop(self) -> None:
        self._supervisor.ask_to_stop()

    def restart(self) -> None:
        self._supervisor.restart()

    def follow(self, running: Callable[[], bool]) -> None:
        """Have the app run, and print what it prints until it is stopped; end it when `running()`
        says no.

        What this prints begins with what of the app's output is still kept. Blocks: for a job's
        thread.
        """
        supervisor, news = self._supervisor, threading.Event()
        forget = supervisor.output.listen(lambda offset, data: news.set())
        offset = supervisor.output.read()[0]  # what is no longer kept is none of this run's
        try:
            supervisor.start()
            asked_at, is_over = None, False
            while not is_over:
                news.wait(LOOK_SECONDS)
                news.clear()
                if asked_at is None and not running():
                    asked_at = supervisor.status.starts
                    supervisor.ask_to_stop()
                # Before the output is read: what it printed at its end is there then. Somebody may
                # have started it anew since it was stopped for this run.
                now = supervisor.status
                is_over = now.state == "stopped" or asked_at not in (None, now.starts)
                offset = self._show(offset)
        finally:
            forget()
        print("The app was stopped.")

    def _show(self, offset: int) -> int:
        """Print the output from `offset` to its end, which is returned."""
        while True:
            first, data = self._supervisor.output.read(offset, SHOWN_BYTES)
            if not data:
                return first
            if first > offset:
                lost = first - offset
                print(f"\n[{lost} bytes are left out: they came faster than they are read]")
            sys.stdout.buffer.write(data)
            offset = first + len(data)


def _nobody_listens() -> None:
    pass
