"""What a process of a run is to run, and what it gets to see. No I/O."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask_realtime.childenviron import child_environ
from flask_realtime.currentrun import RUN_VARIABLE
from flask_realtime.isolation.box import Launch

MIB = 1 << 20
# The page is a terminal that shows colours; nobody is there to turn a pager's pages.
_ON_THE_PAGE = {"TERM": "xterm-256color", "PAGER": "cat", "GIT_PAGER": "cat"}
_SIZE = ("COLUMNS", "LINES")  # the terminal says its size; these would be the server's own
_ROOT = Path(__file__).parents[2]  # from where `-m flask_realtime...` is found


@dataclass(frozen=True)
class Program:
    """`terminal`: columns and rows, None for pipes. `stop_signal` asks it to end, 0: it is asked
    by the control socket, whose number is put in place of "{control}" in `argv`.
    """

    argv: list[str]
    folder: str | None
    environ: dict[str, str]
    terminal: tuple[int, int] | None
    stop_signal: int
    cpu_seconds: float | None = None
    memory_bytes: int | None = None

    @property
    def has_control(self) -> bool:
        return not self.stop_signal

    def setup(self, *, errors: int | None, control: int | None) -> dict[str, Any]:
        """The keeper's first message; the two are descriptors that it has."""
        return {
            "argv": [str(control) if each == "{control}" else each for each in self.argv]
            if self.has_control
            else self.argv,
            "folder": self.folder,
            "environ": self.environ,
            "terminal": self.terminal,
            "errors": errors,
            "control": control,
            "cpu_seconds": self.cpu_seconds,
            "memory_bytes": self.memory_bytes,
        }


def program_of(launch: Launch, own: Mapping[str, str]) -> Program:
    """The program of a run; `own` is the environment of this process.

    Raises BadParameters for a command's parameters that no argument may have.
    """
    job, rules, options = launch.job, launch.job.rules, launch.options
    bounds = rules.bounds.or_else(options.bounds_for("process"))
    command = job.command
    environ = child_environ(
        own,
        rules.inherit,
        {
            **_ON_THE_PAGE,
            **launch.run.environ,
            **({} if command is None else command.variables(launch.params)),
            RUN_VARIABLE: launch.run.id,
        },
    )
    for name in _SIZE:
        environ.pop(name, None)
    if command is None:
        # The job's name is for people, who look at a list of processes.
        argv = [sys.executable, "-u", "-m", "flask_realtime.isolation.child", "{control}", job.name]
        folder, stop_signal = str(_ROOT), 0
    else:
        argv, folder = command.argv(launch.params), command.cwd
        stop_signal = signal.Signals[rules.stop_signal].value
    return Program(
        argv=argv,
        folder=folder,
        environ=environ,
        terminal=(options.terminal_columns, options.terminal_rows) if rules.terminal else None,
        stop_signal=stop_signal,
        cpu_seconds=bounds.cpu_seconds,
        memory_bytes=None if bounds.memory_mib is None else int(bounds.memory_mib * MIB),
    )
