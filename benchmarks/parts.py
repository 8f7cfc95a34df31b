"""What the benchmarks share: the server under test, its clients, the references."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import requests

from tests.support.programjobs import add_program, make_jobs
from tests.support.server import Server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FLOOD_TABLE = 'args = ["{lines}"]\n[parameters.lines]\ntype = "integer"'
TIMEOUT = 120  # s that one measurement may take


@contextmanager
def server() -> Iterator[Server]:
    """A server of its own with an empty Redis."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder), JOBS_PATH=str(HERE / "jobs")) as running,
    ):
        yield running


@contextmanager
def program_server(tables: Mapping[str, str]) -> Iterator[Server]:
    """The same with programs of tests/programs as jobs (tests/support/programjobs.py)."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = Path(folder, "jobs")
        jobs.mkdir()
        make_jobs(jobs, tables)
        add_program(jobs, HERE / "jobs" / "_flood_program.py", "flood", FLOOD_TABLE)
        with Server(Path(folder), JOBS_PATH=str(jobs)) as running:
            yield running


def node(script: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "tools" / "node.py"), str(HERE / "clients" / script)]
    return subprocess.Popen(
        [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )


def answer(client: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What a client found, once it has ended."""
    output, _ = client.communicate(timeout=TIMEOUT)
    result: dict[str, Any] = json.loads(output)
    return result


def view(url: str, mode: str, job: str, **params: object) -> dict[str, Any]:
    """Start a job and follow it from another process."""
    arguments = (url, mode, f"job={job}", f"params={json.dumps(params)}")
    return answer(node("viewer.mjs", *arguments, stderr=subprocess.DEVNULL))


@contextmanager
def websocketd(*command: str, binary: bool = False) -> Iterator[str]:
    """websocketd in front of a program of benchmarks/jobs; the address of its WebSocket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            "websocketd",
            "--address=127.0.0.1",
            f"--port={port}",
            *(["--binary"] if binary else []),
            sys.executable,
            *command,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > deadline:
                raise TimeoutError("websocketd does not listen")
            time.sleep(0.05)
        yield f"ws://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(10)


def has_websocketd() -> bool:
    return shutil.which("websocketd") is not None


def latencies(url: str, seconds: float) -> list[float]:
    """Ask for /healthz every 10 ms, for so long; milliseconds that each answer took."""
    values = []
    session = requests.Session()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        session.get(f"{url}/healthz", timeout=10)
        values.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.01)
    session.close()
    return values


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def middle(values: list[float]) -> float:
    return median(values)
