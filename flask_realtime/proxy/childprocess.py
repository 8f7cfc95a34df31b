"""An app server as a child process, behind its guard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
READ_BYTES = 1 << 16
GUARD_SECONDS = 5.0  # beyond the grace, for the guard to see to the end


class ChildProcess:
    """One life of an app server. It belongs to the thread that made it, which must outlive it."""

    def __init__(
        self, command: Sequence[str], *, grace: float, cwd: Path | None, environ: Mapping[str, str]
    ) -> None:
        """Raises OSError when the folder does not exist, or no more processes can be had."""
        guard = [sys.executable, "-I", "-S", str(GUARD), str(grace), str(os.getpid())]
        self._grace = grace
        self._guard = subprocess.Popen(
            [*guard, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environ),
            start_new_session=True,  # Ctrl+C on the terminal is for this program
            bufsize=0,
        )
        assert self._guard.stdout is not None
        self.output = self._guard.stdout.fileno()  # ends once nothing of it is left

    @property
    def pid(self) -> int:
        """The guard's; the app server is its child."""
        return self._guard.pid

    def read(self) -> bytes:
        """What it printed; empty once it has ended."""
        return os.read(self.output, READ_BYTES)

    def ask_to_end(self) -> None:
        """Have it ended: SIGTERM now, SIGKILL after the grace. Does not wait."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()

    def wait(self) -> str:
        """Close what is held, wait for the guard, and say how the app server ended."""
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        self._guard.stdin.close()
        self._guard.stdout.close()
        try:
            code = self._guard.wait(self._grace + GUARD_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            code = self._guard.wait()
        if code > 128:
            return f"ended by {_signal_name(code - 128)}"
        return f"ended with exit code {code}" if code >= 0 else f"guard ended by signal {-code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
