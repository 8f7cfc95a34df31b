"""Real workers of Celery, as processes of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from tests.support.loggedprocess import ROOT, LoggedProcess

JOBS = ROOT / "tests" / "programs" / "workerjobs"


class Worker(LoggedProcess):
    """`celery -A worker worker` with its files in `folder`; `environ` are settings.

    It uses the instance folder of the server that it works for.
    """

    def __init__(
        self,
        folder: Path,
        instance: Path,
        *,
        name: str = "worker",
        queues: str = "default",
        processes: int = 2,
        options: tuple[str, ...] = (),
        **environ: str,
    ) -> None:
        super().__init__(folder / f"{name}.log")
        self.name = name
        self._options = [
            *("--hostname", f"{name}@tests", "--queues", queues),
            *("--concurrency", str(processes), "--without-mingle", "--without-gossip"),
            *options,
        ]
        self._environ = {
            "JOBS_PATH": str(JOBS),
            "STOP_GRACE_SECONDS": "1",
            "LOGIN": "none",
            "INSTANCE_PATH": str(instance),
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
            **environ,
        }

    def start(self) -> None:
        """Start it, and wait until it takes runs."""
        command = [sys.executable, "-m", "celery", "--app", "worker", "worker", *self._options]
        self._launch(command, {**os.environ, **self._environ}, self._is_ready)

    def _is_ready(self) -> bool:
        return f"{self.name}@tests ready." in self.log

    def pool(self) -> list[psutil.Process]:
        """The processes that runs run in."""
        return [
            child
            for child in psutil.Process(self.pid).children()
            if child.status() != psutil.STATUS_ZOMBIE and "celery" in " ".join(child.cmdline())
        ]
