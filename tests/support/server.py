"""The real server as a child process, for tests."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
from redis import Redis

from tests.support.apiclient import ApiClient
from tests.support.loggedprocess import ROOT, LoggedProcess
from tests.support.patience import eventually

JOBS = ROOT / "tests" / "programs" / "jobs"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def written(client: Redis) -> bool:
    """Whether Redis has given all of its append-only file to the system."""
    state: dict[str, Any] = client.info("persistence")
    return state["aof_buffer_length"] == 0


class Server(ApiClient, LoggedProcess):
    """`python wsgi.py` on a free port, its data in a folder of its own."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__(folder / "server.log")
        self.folder = folder
        self.port = 0
        self._environ = environ

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        environ = {
            name: value for name, value in os.environ.items() if name not in ("PORT", "HOST")
        } | {
            "PORT": str(self.port),
            "REDIS_DATA": str(self.folder / "redis"),
            "JOBS_PATH": str(JOBS),
            "STOP_GRACE_SECONDS": "1",
            "LOGIN": "none",
            "INSTANCE_PATH": str(self.folder / "instance"),
            **self._environ,
        }
        found = self._launch([sys.executable, "wsgi.py"], environ, self._address)
        self.port = int(found[1])

    def _address(self) -> re.Match[str] | None:
        return re.search(r"Serving http://localhost:(\d+)/", self.log)

    def stop(self, number: int = signal.SIGTERM) -> None:
        is_running = self._process is not None
        super().stop(number)
        if is_running:
            assert "Traceback" not in self.log or number == signal.SIGKILL, self.log

    def restart(self) -> None:
        """Stop it and start it again, on the same port and data."""
        self.stop()
        self.start()

    def redis_process(self) -> psutil.Process:
        return next(
            child
            for child in psutil.Process(self.pid).children(recursive=True)
            if "redis-server" in child.name()
        )

    def redis_client(self) -> Redis:
        """A client of the embedded Redis."""
        sockets = self.redis_process().net_connections("unix")
        (path,) = {str(each.laddr) for each in sockets if each.laddr}
        return Redis(unix_socket_path=path)

    def kill_redis(self) -> None:
        """Kill the embedded Redis once it has written what it was told so far.

        While the disk is busy with a flush Redis holds further writes back, for up to 2 s: a crash
        in that moment loses what it has answered to.
        """
        with self.redis_client() as client:
            eventually(lambda: written(client))
        self.redis_process().kill()


def misconfigured(**environ: str) -> tuple[int, str]:
    """Start a server that should not come up; return its exit code and what it says."""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, "wsgi.py"],
            cwd=ROOT,
            env={**os.environ, "PORT": "0", "REDIS_DATA": folder, **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )
    return result.returncode, result.stderr
