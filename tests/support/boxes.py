"""Runs in process boxes, for tests that stand where the runner does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import psutil

from flask_realtime import host
from flask_realtime.commands.command import command_job
from flask_realtime.currentrun import CurrentRun
from flask_realtime.isolation.box import Exit, Launch, Prompt
from flask_realtime.isolation.process import ProcessBox
from flask_realtime.jobs import Job
from flask_realtime.masking import Secrets
from flask_realtime.options import Options
from tests.support.hub import until
from tests.support.programjobs import COMMANDS


def program(name: str, *arguments: str, **options: Any) -> Job:
    """A job of a program of tests/programs/commands."""
    return command(sys.executable, str(COMMANDS / name), *arguments, **options)


def command(*argv: str, **options: Any) -> Job:
    """A job of a command."""
    return command_job("command", argv, options, source="here:1")


class Boxed:
    """A run of `job` that was started, and what it told."""

    def __init__(
        self,
        job: Job,
        *,
        environ: dict[str, str] | None = None,
        prepare: Callable[[], None] = lambda: None,
        slow: float = 0,
        **params: Any,
    ) -> None:
        """`slow`: seconds that each piece of output takes."""
        self.slow = slow
        self.told: list[Prompt | None] = []
        self.pieces: list[tuple[int, bytes]] = []
        self.progress: list[tuple[float, float | None, str]] = []
        self._ends: list[Exit] = []
        self.run = CurrentRun(os.urandom(6).hex(), job.name, "ada", Secrets(), environ or {})
        self.launch = Launch(
            job=job,
            params=job.bind(params),
            run=self.run,
            prepare=prepare,
            options=Options(),
            grace=1,
        )
        self.box = ProcessBox(self.launch, self._Watcher(self))
        self.box.start()

    class _Watcher:
        def __init__(self, boxed: Boxed) -> None:
            self.waiting = boxed.told.append
            self.ended = boxed._ends.append
            self._boxed = boxed

        def output(self, stream: int, data: bytes) -> None:
            if self._boxed.slow:
                host.sleep(self._boxed.slow)
            self._boxed.pieces.append((stream, data))

        def progress(self, done: float, total: float | None, label: str) -> None:
            self._boxed.progress.append((done, total, label))

    def keeper(self) -> psutil.Process:
        """Its keeper."""
        return next(
            process
            for process in psutil.Process().children()
            if process.cmdline()[-1:] == [self.run.id]
        )

    def pid(self) -> int:
        """Of its main process."""
        return self.keeper().children()[0].pid

    @property
    def output(self) -> bytes:
        return b"".join(data for _, data in self.pieces)

    def of(self, stream: int) -> bytes:
        return b"".join(data for each, data in self.pieces if each == stream)

    def printed(self, text: bytes) -> None:
        """Wait until it has printed `text`."""
        until(lambda: text in self.output or self._ends)
        assert text in self.output, (self._ends, self.output)

    def prompt(self) -> Prompt:
        """Wait until it asks."""
        found = until(lambda: self._ends or (self.told and self.told[-1]))
        assert isinstance(found, Prompt), (self._ends, self.output)
        return found

    def end(self, seconds: float = 20) -> Exit:
        """Wait for its end."""
        end = until(lambda: self._ends, seconds)[0]
        group = self.box._group
        assert group is None or not os.path.exists(group)
        return end
