"""For development: the server starts anew when a source file changes, and spares running jobs.

Two processes: the outer one starts the inner one, which serves, again and again. The inner one
watches, for it knows what runs; it ends with the exit code RESTART once nobody would lose a job.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from flask_realtime import host

RESTART = 3  # exit code of the inner process
INNER = "FLASK_REALTIME_INNER"  # set in its environment
LOOK_SECONDS = 0.5
SKIPPED = frozenset({"__pycache__", "node_modules"})

Snapshot = dict[str, int]


def is_inner() -> bool:
    """Whether this process is the one that serves."""
    return os.environ.get(INNER) == "1"


def snapshot(folder: Path) -> Snapshot:
    """When each Python file below `folder` was changed, ns; virtual environments are left out."""
    return dict(_changes(folder))


def _changes(folder: Path) -> Iterator[tuple[str, int]]:
    for here, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if name[0] != "." and name not in SKIPPED]
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(here, name)
                try:
                    yield path, os.stat(path).st_mtime_ns
                except FileNotFoundError:  # an editor was at work
                    continue


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The files that were changed, added or removed, in order."""
    return sorted({path for path, _ in before.items() ^ after.items()})


class Watch:
    """The inner process's part. `active()` names the jobs of the runs in progress.

    While there are any, it waits for their end; on a terminal it asks whether to end them.
    """

    def __init__(self, folder: Path, active: Callable[[], list[str]]) -> None:
        self._folder = folder
        self._before = snapshot(folder)
        self._active = active
        self._is_wanted = False
        self.restarts = False

    def run(self, stop: Callable[[], bool]) -> None:
        """Watch until a restart is due; then call `stop` until it is heard. In a greenlet."""
        files: list[str] = []
        while not files:
            host.sleep(LOOK_SECONDS)
            files = changed(self._before, host.offload(snapshot, self._folder))
        name = os.path.relpath(files[0], self._folder)
        if jobs := self._active():
            self._say_and_wait(name, jobs)
        _say(f"{name} changed: the server starts anew")
        self.restarts = True
        while not stop():
            host.sleep(0.01)

    def _say_and_wait(self, name: str, jobs: list[str]) -> None:
        runs = "1 run is" if len(jobs) == 1 else f"{len(jobs)} runs are"
        _say(
            f"{name} changed, but {runs} in progress ({', '.join(sorted(set(jobs)))}): "
            "the server starts anew once there are none"
        )
        asking = host.spawn(self._ask) if sys.stdin is not None and sys.stdin.isatty() else None
        while self._active() and not self._is_wanted:
            host.sleep(0.1)
        if asking is not None:
            asking.kill()

    def _ask(self) -> None:
        while not self._is_wanted:
            print("Type y to end them and start anew now: ", end="", file=sys.stderr, flush=True)
            host.wait_readable(sys.stdin.fileno())
            line = sys.stdin.readline()
            if not line:
                return
            self._is_wanted = line.strip().lower() in ("y", "yes")


def supervise(folder: Path) -> int:
    """The outer process's part: run this program again, as the inner one; return its exit code.

    An inner process that fails, because a file has a fault, is started again after a change.
    """
    environ = {**os.environ, INNER: "1"}
    inner: subprocess.Popen[bytes] | None = None
    ending: list[int] = []  # signals

    def end(number: int, frame: object) -> None:
        ending.append(number)
        # Ctrl+C reaches both; passed on, it would be the second one, which ends it at once.
        if inner is not None and number == signal.SIGTERM:
            inner.terminate()

    previous = {n: signal.signal(n, end) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not ending:
            before = snapshot(folder)
            inner = subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=environ)
            code = inner.wait()
            inner = None
            if ending or code == 0:
                return max(code, 0)
            if code != RESTART:
                _say(f"the server ended with code {code}; it starts again after a change")
                while not ending and not changed(before, snapshot(folder)):
                    time.sleep(LOOK_SECONDS)
        return 0
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
