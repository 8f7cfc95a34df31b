"""The processes of a fleet: started, killed, paused, and looked at."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually

# In the environment of all that belongs to a fleet; PYTHON* is what runs get of the server's.
TOKEN = "PYTHONFLEET"


class Part:
    """One process of a fleet with its children, which can be started anew on the same data.

    `ready(log)` says whether it serves, of what it has printed since its start.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environ: dict[str, str],
        ready: Callable[[str], object],
    ) -> None:
        self.name = name
        self._command = list(command)
        self._log = folder / f"{name}.log"
        self._environ = environ
        self._ready = ready
        self._begin = 0
        self._asked = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def launch(self) -> None:
        """Start it; `wait_ready` waits until it serves."""
        self._asked = False
        self._begin = len(self.log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env={**os.environ, **self._environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self) -> None:
        def serves() -> object:
            assert self.runs, f"{self.name} has ended: {self.log[-3000:]}"
            return self._ready(self.log[self._begin :])

        eventually(serves)

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def kill(self) -> None:
        """End it by KILL, and it alone: its children are left to themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(60)

    def kill_all(self) -> None:
        """End it and its children by KILL, as the end of a container does."""
        for each in [psutil.Process(self.pid), *self.children()]:
            each.kill()
        assert self._process is not None
        self._process.wait(60)

    def ask_to_end(self, number: int = signal.SIGTERM) -> None:
        if self.runs:
            self.proceed()
            os.kill(self.pid, number)
            self._asked = True

    def stop(self) -> None:
        """Ask it to end, unless that was done, and wait for it."""
        if self._process is None:
            return
        if not self._asked:
            self.ask_to_end()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError(f"{self.name} did not stop: {self.log[-3000:]}") from None

    def pause(self) -> None:
        for each in [psutil.Process(self.pid), *self.children()]:
            each.suspend()

    def proceed(self) -> None:
        for each in [*self.children(), psutil.Process(self.pid)]:
            each.resume()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)
