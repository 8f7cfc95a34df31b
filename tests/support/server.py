"""The real server as a child process, for tests."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests
from redis import Redis

ROOT = Path(__file__).resolve().parents[2]
JOBS = ROOT / "tests" / "programs" / "jobs"
T = TypeVar("T")

# For what is sure to come: it passes as soon as it is there, and a machine may stall for long.
PATIENCE_SECONDS = 60.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def eventually(condition: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Return the first true value of `condition()`; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value


def written(client: Redis) -> bool:
    """Whether Redis has given all of its append-only file to the system."""
    state: dict[str, Any] = client.info("persistence")
    return state["aof_buffer_length"] == 0


class Server:
    """`python wsgi.py` on a free port, its data in a folder of its own."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = 0
        self._environ = environ
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

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
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "wsgi.py"],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            found = eventually(self._address)
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._process = None
            raise
        self.port = int(found[1])

    def _address(self) -> re.Match[str] | None:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return re.search(r"Serving http://localhost:(\d+)/", self.log)

    def stop(self, number: int = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop: {self.log}") from None
        assert "Traceback" not in self.log or number == signal.SIGKILL, self.log
        _, alive = psutil.wait_procs(children, PATIENCE_SECONDS)
        assert not alive, f"left behind: {alive}"

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

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

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **options)

    def post(self, path: str, body: object = None, **options: Any) -> requests.Response:
        return requests.post(self.url + path, json=body or {}, timeout=60, **options)

    def start_run(self, job: str, **params: object) -> str:
        response = self.post("/api/runs", {"job": job, "params": params})
        assert response.status_code == 201, response.text
        run: str = response.json()["id"]
        return run

    def run_record(self, run: str) -> dict[str, Any]:
        record: dict[str, Any] = self.get(f"/api/runs/{run}").json()
        return record

    def ended(self, run: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for the end of a run, and return its record."""

        def final() -> dict[str, Any] | None:
            record = self.run_record(run)
            return record if record.get("ended") else None

        return eventually(final, seconds)

    def output(self, run: str) -> bytes:
        return self.get(f"/api/runs/{run}/output").content


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
