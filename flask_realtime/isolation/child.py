"""A job in a process of its own: ``python -u -m flask_realtime.isolation.child <descriptor>``.

The descriptor is the control socket (control.py); what the job prints goes to 1 and 2 like that of
any program. It imports what the job imports, and of the server next to nothing: neither Flask nor
eventlet.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from typing import Any

from flask_realtime import currentrun
from flask_realtime.isolation import outcome, stackfile
from flask_realtime.isolation.ending import Exit
from flask_realtime.isolation.jobref import LOADED_MAIN, MAIN, JobGone, find
from flask_realtime.isolation.link import Link, LinkedSecrets
from flask_realtime.isolation.unbuffered import prepare_streams
from flask_realtime.jobsfolder import jobspackage

NO_SERVER = 70  # exit code: the server was gone before it said what to run


def main(descriptor: int) -> int:
    """Run what the server says over the socket `descriptor`; the exit code."""
    link = Link(descriptor)
    order = link.first_order()
    if order is None:
        return NO_SERVER
    ending = _Ending(link)
    # Before the job can register anything: so it is called last, when all threads have ended too.
    atexit.register(ending.tell)
    prepare_streams()
    run, reference = order["run"], order["job"]["reference"]
    currentrun.enter_process(
        currentrun.CurrentRun(
            run["id"],
            run["job"],
            run["user"],
            LinkedSecrets(link),
            report_progress=link.progress,
            hidden_reader=_hidden_reader(link),
        )
    )
    os.environ[currentrun.RUN_VARIABLE] = run["id"]
    if reference["folder"]:
        jobspackage.tell_children(reference["module"], reference["folder"])
    link.start(stackfile.register())
    ending.exit = _run_job(link, reference, order["params"])
    return ending.exit.code or 0


def _hidden_reader(link: Link) -> Callable[[], Callable[[], str] | None]:
    """What CurrentRun takes. On a terminal the standard library knows how; it is left alone."""
    if os.isatty(0):
        return lambda: None
    from flask_realtime.isolation import hiddeninput
    from flask_realtime.isolation.pipeprompt import PipePrompt

    hiddeninput.install()
    return PipePrompt(link).reader


class _Ending:
    """Tells the server how the job ended, once the interpreter has waited for its threads."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.exit = Exit("failed", 1, "it ended before it said how")

    def tell(self) -> None:
        if self.exit.state == "succeeded" and not self._link.running():
            # It was asked to end while a thread that it had left behind went on.
            self.exit = outcome.returned(stop_asked=True)
        self._link.end(self.exit)


def _run_job(link: Link, reference: dict[str, Any], params: dict[str, Any]) -> Exit:
    try:
        function, bound = _prepare(reference, params)
    except JobGone as error:
        print(error, file=sys.stderr)
        return Exit("failed", 1, str(error)[: outcome.MAX_REASON])
    except BaseException as error:  # noqa: BLE001  # whatever a module raises while it is loaded
        return _not_loaded(error, reference, stop_asked=not link.running())
    try:
        result = function(link.running, **bound)
        if hasattr(result, "__await__"):
            _await(result)
        return outcome.returned(stop_asked=not link.running())
    except BaseException as error:  # noqa: BLE001  # whatever a job raises is its end
        return outcome.raised(error, stop_asked=not link.running())


def _prepare(
    reference: dict[str, Any], params: dict[str, Any]
) -> tuple[Callable[..., Any], dict[str, object]]:
    """The function, and the keywords to call it with."""
    import inspect

    function = find(reference)  # what it raises is the module's
    if not params and len(inspect.signature(function).parameters) == 1:
        return function, {}  # what reads parameters takes longer to load than all else
    from msgspec import ValidationError

    from flask_realtime.parameters import read_parameters

    try:
        parameters = read_parameters(function)
        inspect.signature(function).bind(None, **params)
        return function, parameters.unwire(params)
    except (TypeError, ValidationError) as error:
        raise JobGone(
            reference["file"],
            f"{reference['name']!r} does not take what it took: {error}; "
            "start the server again, which has read another signature",
        ) from error


def _not_loaded(error: BaseException, reference: dict[str, Any], *, stop_asked: bool) -> Exit:
    from pathlib import Path

    from flask_realtime.jobsfolder.jobsfolder import failure_of

    if stop_asked and isinstance(error, KeyboardInterrupt):
        return outcome.returned(stop_asked=True)
    outcome.show(error)
    reason = str(failure_of(Path(reference["file"]), error))
    return Exit("failed", 1, reason[: outcome.MAX_REASON])


def _await(awaitable: Any) -> None:
    import asyncio

    async def wait_for() -> None:
        await awaitable

    asyncio.run(wait_for())


if __name__ == MAIN:
    sys.exit(main(int(sys.argv[1])))
elif __name__ == LOADED_MAIN:  # in a process that the job starts by multiprocessing
    jobspackage.make_told_package()
