"""The child of a job by itself, on pipes and a control socket, without a server."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.control import (
    MAX_TELL,
    Lines,
    Tell,
    encode,
    read_tell,
    start_order,
)

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20.0
T = TypeVar("T")


def write_job(folder: Path, text: str, name: str = "tidy.py") -> dict[str, Any]:
    """Write a file of a jobs folder, and return the reference to its function `tidy`."""
    file = folder / name
    file.write_text(textwrap.dedent(text), "utf-8")
    package = "_flask_realtime_jobs_7"
    return {
        "module": f"{package}.{file.stem}",
        "name": "tidy",
        "file": str(file),
        "folder": str(folder),
        "path": [str(ROOT), *sys.path],
        "cwd": str(folder),
    }


class Child:
    """`python -u -m flask_realtime.isolation.child` with what it is to run; killed at the end.

    It gets `orders` together with the first.
    """

    def __init__(
        self,
        reference: dict[str, Any],
        params: dict[str, object] | None = None,
        *orders: dict[str, object],
        **environ: str,
    ) -> None:
        self._socket, other = socket.socketpair()
        self._socket.settimeout(SECONDS)
        self._lines = Lines(MAX_TELL)
        self._arrived: list[Tell] = []
        self._output = b""
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "flask_realtime.isolation.child", str(other.fileno())],
                pass_fds=[other.fileno()],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        run = {"id": "r1", "job": "tidy", "user": "ann"}
        self.send(start_order("tidy", reference, params or {}, run), *orders)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def send(self, *orders: dict[str, object]) -> None:
        """Send them at once."""
        self._socket.sendall(b"".join(map(encode, orders)))

    def leave(self) -> None:
        """As the server that is gone."""
        self._socket.close()

    def told(self, kind: type[T]) -> T:
        """Wait for the next tell of that kind; others before it are dropped."""
        while True:
            while self._arrived:
                tell = self._arrived.pop(0)
                if isinstance(tell, kind):
                    return tell
            data = self._socket.recv(1 << 16)
            assert data, f"it ended before it told {kind.__name__}: {self.rest()}"
            self._arrived += map(read_tell, self._lines.feed(data))

    def all_told(self) -> list[Tell]:
        """All that it tells until it closes the socket."""
        while data := self._socket.recv(1 << 16):
            self._arrived += map(read_tell, self._lines.feed(data))
        return self._arrived

    def output_until(self, text: str) -> str:
        """Wait until it has printed `text`; all that it has printed so far."""
        stdout = self.process.stdout
        assert stdout is not None
        while text.encode() not in self._output:
            ready, _, _ = select.select([stdout], [], [], SECONDS)
            assert ready, f"it did not print {text!r}, but {self._output!r}"
            data = os.read(stdout.fileno(), 1 << 16)
            assert data, f"it ended without {text!r}: {self._output.decode()}"
            self._output += data
        return self._output.decode()

    def rest(self) -> str:
        """Wait for its end; all that it has printed."""
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            self._output += data
        self.process.wait(SECONDS)
        return self._output.decode("utf-8", "replace")

    def end(self) -> Exit:
        """Wait for its end, and return what it told of it."""
        told = self.told(Exit)
        assert not self.all_told()
        self.rest()
        return told
