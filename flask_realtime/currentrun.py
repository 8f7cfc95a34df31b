"""What code inside a job can ask of the run that it belongs to."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from flask_realtime.masking import Secrets


@dataclass(frozen=True)
class CurrentRun:
    """The run that the current context belongs to: its id, job and user.

    `environ`: variables that a job in a process of its own gets beside the usual ones; what is
    called before a run may add some. `report_progress(done, total, label)` is what `progress`
    calls, in any thread of the job. `hidden_reader()` is what getpass reads a line with in a
    process without a terminal, or None.
    """

    id: str
    job: str
    user: str
    secrets: Secrets = field(repr=False)
    environ: dict[str, str] = field(default_factory=dict, repr=False)
    report_progress: Callable[[float, float | None, str], None] = field(
        default=lambda done, total, label: None, repr=False, compare=False
    )
    hidden_reader: Callable[[], Callable[[], str] | None] = field(
        default=lambda: None, repr=False, compare=False
    )


_current: contextvars.ContextVar[CurrentRun | None] = contextvars.ContextVar(
    "flask_realtime_run", default=None
)

# The id of the run that a process belongs to which is a job's own, or was started by one.
RUN_VARIABLE = "FLASK_REALTIME_RUN"

# Of a process that is one job's own: it holds in all threads, whoever started them.
_of_process: CurrentRun | None = None


def enter(run: CurrentRun) -> None:
    """Let the current context, and those that are copied from it, belong to `run`."""
    _current.set(run)


def enter_process(run: CurrentRun) -> None:
    """Let all code of this process belong to `run`."""
    global _of_process
    _of_process = run


def current_run() -> CurrentRun | None:
    """Return the run that the calling code belongs to; None outside of jobs.

    It holds in the job, its asyncio tasks and the threads that it starts.
    """
    return _current.get() or _of_process


def mask(secret: str) -> None:
    """Show ``***`` instead of `secret` in the rest of this run's output.

    Outside of a job nothing is done: nothing is shown there. Raises ValueError when `secret` has
    less than 8 characters, and RuntimeError in a process that a job has started: what that prints
    is shown, but only the job itself can say what is secret.
    """
    run = current_run()
    if run is not None:
        run.secrets.add(secret)
    elif RUN_VARIABLE in os.environ:
        raise RuntimeError(
            "mask() works in the job's own process only, not in one that it starts: "
            "call it there, before"
        )
