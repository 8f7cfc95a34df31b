"""A program of the project as a child process, with a file that has what it says."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

from tests.support.patience import PATIENCE_SECONDS, eventually

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
P = TypeVar("P", bound="LoggedProcess")


class LoggedProcess:
    """Runs for the `with` block's time, and may be stopped and started in it.

    `stop` fails when anything is left behind of what the program has started.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self: P) -> P:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return once it does what it is for."""
        raise NotImplementedError

    def _launch(self, command: list[str], environ: Mapping[str, str], ready: Callable[[], T]) -> T:
        """Run it, and return the first true value of `ready()`."""
        with self._log.open("wb") as log:
            process = self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

        def alive_and_ready() -> T:
            assert process.poll() is None, self.log
            return ready()

        try:
            return eventually(alive_and_ready)
        except BaseException:
            if process.poll() is None:
                self.kill()
            self._process = None
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send it a signal, and wait for its end and that of all that it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it did not stop: {self.log}") from None
        _, alive = psutil.wait_procs(children, PATIENCE_SECONDS)
        assert not alive, f"left behind: {alive}"

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send it a signal; it may go on."""
        psutil.Process(self.pid).send_signal(number)
