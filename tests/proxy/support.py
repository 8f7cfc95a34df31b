"""A Flask application with proxies, as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil
import requests

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually


class Site:
    """One process that says "Serving http://..." once it serves."""

    def __init__(self) -> None:
        self.url = ""
        self._log: IO[bytes] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process is not None:
            self.stop()

    @property
    def log(self) -> str:
        assert self._log is not None
        return Path(self._log.name).read_text("utf-8", "replace")

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def start(self, program: str, *arguments: str) -> Site:
        """Run ``python PROGRAM ARGUMENTS``, relative to the repository's root."""
        self._log = tempfile.NamedTemporaryFile(suffix=".log")  # noqa: SIM115 - closed by stop
        self.process = subprocess.Popen(
            [sys.executable, program, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self.url = eventually(self._address)[1]
        return self

    def parent(self, *apps: dict[str, object], **settings: object) -> Site:
        """Run the parent application of the tests with these proxies."""
        return self.start("tests/proxy/parent.py", json.dumps({"apps": apps, **settings}))

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are over a connection of their own; all that is answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            received = connection.recv(65536)
            connection.settimeout(0.2)
            with suppress(TimeoutError):  # a server that refuses may wait for our end
                while piece := connection.recv(65536):
                    received += piece
                return received
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(60)
            while piece := connection.recv(65536):
                received += piece
            return received

    def apps(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/apps").json()
        return found

    def memory_bytes(self) -> int:
        assert self.process is not None
        resident: int = psutil.Process(self.process.pid).memory_info().rss
        return resident

    def _address(self) -> re.Match[str] | None:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        return re.search(r"Serving (https?://\S+?)/?\s", self.log)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int = signal.SIGTERM, *, seconds: float = 15) -> str:
        """End it; all that it has started must end, too. Returns its log."""
        assert self.process is not None
        assert self._log is not None
        children = self.children() if self.process.poll() is None else []
        self.process.send_signal(number)
        try:
            self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None
        _, alive = psutil.wait_procs(children, seconds)
        log = self.log
        self._log.close()
        assert not alive, f"left behind: {alive}"
        assert "Traceback" not in log, log
        return log

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **options)  # type: ignore[arg-type]
