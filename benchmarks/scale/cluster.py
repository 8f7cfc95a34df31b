"""A web node, its Redis and so many workers, all on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.parts import HERE, ROOT
from tests.support.server import Server

QUEUED = 5_000  # runs that may wait for a worker
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class Cluster:
    """A web node; workers are added to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings = {
            "JOBS_PATH": str(HERE / "jobs"),
            "MAX_QUEUED_ON_WORKERS": str(QUEUED),
            "REDIS_DATA": str(folder / "redis"),
            "INSTANCE_PATH": str(folder / "instance"),
            "LOGIN": "none",
        }
        self._ends = ExitStack()
        self.web = Server(folder, **self._settings)
        self.workers: list[psutil.Process] = []

    def __enter__(self) -> Cluster:
        self._ends.enter_context(self.web)
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def add_workers(self, count: int, processes: int = 1) -> None:
        """Start so many, each with so many processes; return once all of them take runs."""
        first = len(self.workers)
        started = [
            self._ends.enter_context(self._worker(number, processes))
            for number in range(first, first + count)
        ]
        for number, process in enumerate(started, first):
            self._wait_until_ready(number, process)
            self.workers.append(psutil.Process(process.pid))

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far of the workers, of Redis and of the web node."""
        return {
            "workers": sum(_cpu(process) for each in self.workers for process in tree(each)),
            "redis": _cpu(self.web.redis_process()),
            "web": _cpu(psutil.Process(self.web.pid)),
        }

    @contextmanager
    def _worker(self, number: int, processes: int) -> Iterator[subprocess.Popen[bytes]]:
        with self._log(number).open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "worker", "worker"),
                    *(f"--concurrency={processes}", f"--hostname=worker{number}@%h"),
                    "--queues=default",
                ],
                cwd=ROOT,
                env={**os.environ, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, number: int) -> Path:
        return self._folder / f"worker{number}.log"

    def _wait_until_ready(self, number: int, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while " ready." not in (said := self._log(number).read_text("utf-8", "replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a worker did not start: {said}")
            time.sleep(0.1)


def tree(process: psutil.Process) -> list[psutil.Process]:
    """A process and all below it."""
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def span(records: Iterable[dict[str, Any]]) -> float:
    """Seconds from the first start of a run to the last end."""
    found = list(records)
    return max(_time(each["ended"]) for each in found) - min(
        _time(each["started"]) for each in found
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
