"""Programs that serve, as child processes on free ports."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

from flask_realtime import host
from tests.support.loggedprocess import ROOT
from tests.support.patience import PATIENCE_SECONDS, eventually

# The program as it stands, as the main program; only its ports are any that are free.
RUN = """
import os, runpy, sys
from flask_realtime import host
host.use(os.environ.get("ASYNC_MODE") or "eventlet")
listen = host.listen
host.listen = lambda name, port, *more: listen(name, 0, *more)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
HEAD = """
import logging, os, sys, time
from pathlib import Path
from flask import Flask, request
from flask_realtime import ConfigurationError, Limits, Server, host
host.use(os.environ.get("ASYNC_MODE") or "eventlet")
logging.basicConfig(level="INFO")
app = Flask("hosted")

@app.route("/", methods=["GET", "POST"])
def index():
    return {
        "url": request.url,
        "from": request.remote_addr,
        "id": request.environ["flask_realtime.request_id"],
        "body": len(request.get_data()),
    }
"""


def environ() -> dict[str, str]:
    """Little, but what the hub of these tests is."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ASYNC_MODE": host.ASYNC_MODE,
    }


class Program:
    """A Python program that serves; a context manager that stops it with SIGTERM."""

    def __init__(self, folder: Path, source: str | Path, *arguments: str) -> None:
        if isinstance(source, str):
            path = folder / "program.py"
            path.write_text(HEAD + textwrap.dedent(source))
            source = path
        self.folder = folder
        self._log = folder / "stderr"
        self._out = folder / "stdout"
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", RUN, str(source), *arguments],
                cwd=folder,
                env=environ(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
        self._is_stopped = False

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def output(self) -> str:
        return self._out.read_text("utf-8", "replace")

    def __enter__(self) -> Program:
        try:
            self.url = self._address(r"Serving (https?://[^/]+)/")
        except BaseException:
            self._kill()
            raise
        self.port = int(self.url.rpartition(":")[2])
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is not None:
            print(self.log, file=sys.stderr)
        if kind is not None or self._is_stopped:
            self._kill()
            return
        assert self.stop() == 0, self.log

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _address(self, pattern: str) -> str:
        def found() -> re.Match[str] | None:
            assert self.process.poll() is None, self.log
            return re.search(pattern, self.log)

        return eventually(found)[1]

    @property
    def redirecting(self) -> str:
        return self._address(r"Redirecting (http://[^/]+)/")

    def stop(self, number: int = signal.SIGTERM, seconds: float = PATIENCE_SECONDS) -> int:
        """Send a signal and return the exit code."""
        self._is_stopped = True
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill()
            raise AssertionError(f"it did not stop: {self.log}") from None

    def connect(self) -> socket.socket:
        """A connection, with TLS where it is spoken."""
        client = self._connected()
        if isinstance(client, ssl.SSLSocket):
            client.do_handshake()
        return client

    def begin_to_connect(self) -> socket.socket:
        """A connection; where TLS is spoken, its first message was sent and none was read."""
        client = self._connected()
        if isinstance(client, ssl.SSLSocket):
            client.settimeout(0)
            with suppress(ssl.SSLWantReadError):
                client.do_handshake()
            client.settimeout(PATIENCE_SECONDS)
        return client

    def _connected(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)
        if not self.url.startswith("https"):
            return plain
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(plain, do_handshake_on_connect=False)

    def send(self, *parts: bytes) -> bytes:
        """Send bytes and return all that comes back until the server closes."""
        with self.connect() as client:
            for part in parts:
                client.sendall(part)
            return received(client)


def received(client: socket.socket) -> bytes:
    """All that comes until the end, orderly or not."""
    data = b""
    while True:
        try:
            more = client.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


def failing(folder: Path, source: str) -> str:
    """Run a program that cannot serve; the last line that it says."""
    path = folder / "failing.py"
    path.write_text(HEAD + textwrap.dedent(source))
    result = subprocess.run(
        [sys.executable, "-W", "ignore", str(path)],
        cwd=folder,
        env=environ(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1, result.stderr
    return result.stderr.strip().splitlines()[-1]
