"""Real workers of Celery, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.server import PATIENCE_SECONDS, ROOT, eventually

JOBS = ROOT / "tests" / "programs" / "workerjobs"


class Worker:
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
        self.name = name
        self._log = folder / f"{name}.log"
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
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it, and wait until it takes runs."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "worker", "worker", *self._options],
                cwd=ROOT,
                env={**os.environ, **self._environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            eventually(self._is_ready)
        except BaseException:
            if self._process.poll() is None:
                self.kill()
            raise

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return f"{self.name}@tests ready." in self.log

    def pool(self) -> list[psutil.Process]:
        """The processes that runs run in."""
        return [
            child
            for child in psutil.Process(self.pid).children()
            if child.status() != psutil.STATUS_ZOMBIE and "celery" in " ".join(child.cmdline())
        ]

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
            raise AssertionError(f"the worker did not stop: {self.log}") from None
        _, alive = psutil.wait_procs(children, PATIENCE_SECONDS)
        assert not alive, f"left behind: {alive}"

    def signal(self, number: int) -> None:
        """Send it a signal; it may go on."""
        psutil.Process(self.pid).send_signal(number)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)
