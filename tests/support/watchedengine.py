"""An engine for tests of it, with some jobs, and all that it tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

from flask_realtime.archive import Archive
from flask_realtime.engine import Engine
from flask_realtime.executors.remote import RemoteExecutor
from flask_realtime.jobs import JobRegistry
from flask_realtime.options import Options
from flask_realtime.runs import Run
from flask_realtime.store import keys
from flask_realtime.store.store import Store
from flask_realtime.tail import Chunk
from tests.support.hub import until

Running = Callable[[], bool]


def count(running: Running, to: int = 3) -> None:
    """Count."""
    for number in range(to):
        print(number)


def wait(running: Running) -> None:
    while running():
        time.sleep(0.001)


def deaf(running: Running) -> NoReturn:
    print("deaf")
    while True:
        time.sleep(0.001)


def broken(running: Running) -> NoReturn:
    raise ZeroDivisionError("of course")


class Watched:
    """An engine, and all that it told."""

    def __init__(
        self,
        url: str,
        before_run: Any = (),
        jobs: JobRegistry | None = None,
        remote: RemoteExecutor | None = None,
        **options: Any,
    ) -> None:
        self.states: list[tuple[str, str]] = []
        self.notices: list[dict[str, Any]] = []
        jobs = jobs or JobRegistry()
        for function in (count, wait, deaf, broken):
            jobs.add(function)
        self.engine = Engine(
            jobs,
            Store(),
            Options(**options),
            archive=Archive("memory://engine"),
            remote=remote,
            before_run=before_run,
        )
        self.engine.status = lambda run: self.states.append((run.id, run.state))
        self.engine.notices.tell = self.notices.append
        self.engine.store.connect(url)

    def is_alive(self) -> bool:
        """Whether it has given its first sign of life."""
        owner = keys.owner(self.engine.runs.owner)
        return bool(self.engine.store.call(lambda client: client.exists(owner)))

    def start(self, job: str, user: str = "ann", **params: Any) -> Run:
        return self.engine.start_run(user, job, params)

    def ended(self, run: Run) -> Run:
        """The record as it is stored, once the run has ended."""
        until(lambda: run not in self.engine.runs.own())
        return self.engine.runs.get(run.id)

    def output(self, run: Run) -> bytes:
        items = self.engine.log.read(run.id, 0, 1 << 20)
        return b"".join(item.data for item in items if isinstance(item, Chunk))

    def states_of(self, run: Run) -> list[str]:
        states = [state for told, state in self.states if told == run.id]
        return [state for n, state in enumerate(states) if states[:n][-1:] != [state]]


Start = Callable[..., Any]
