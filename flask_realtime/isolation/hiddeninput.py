"""getpass.getpass in jobs: it asks at the page, not at the server's terminal.

The standard library's function opens /dev/tty, and nearly everybody has it by ``from getpass
import getpass`` before a server starts. So it is not replaced in its module: it stays the object
that it is, and gets another body (docs/decisions/084-prompts-reports-progress.md).
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, TextIO

from flask_realtime import currentrun
from flask_realtime.isolation.framing import MAX_SECRET
from flask_realtime.isolation.promptio import prompt_io
from flask_realtime.masking import LEAST_LENGTH

_originals: list[Callable[..., str]] = []  # what it does elsewhere, once for each `install`


def install() -> Callable[[], None]:
    """Let getpass.getpass ask where the current context does; return what undoes that.

    Where somebody has put something else than a plain function in its place, that stays.
    """
    function: Any = getpass.getpass
    if not isinstance(function, FunctionType) or function.__closure__ is not None:
        return lambda: None
    if not _originals:
        original = FunctionType(function.__code__, function.__globals__, function.__name__)
        _give_body(original, function)
        _give_body(function, _body)
        _originals.append(original)
    else:
        _originals.append(_originals[-1])

    def undo() -> None:
        original = _originals.pop()
        if not _originals:
            _give_body(function, original)

    return undo


def _give_body(function: Any, other: Any) -> None:
    function.__code__ = other.__code__
    function.__defaults__ = other.__defaults__
    function.__kwdefaults__ = other.__kwdefaults__


def _body(
    prompt: str = "Password: ", stream: TextIO | None = None, *, echo_char: str | None = None
) -> str:
    """Runs with the globals of the module getpass: it can use nothing of this one."""
    from flask_realtime.isolation.hiddeninput import ask

    return ask(prompt, stream, echo_char)


def ask(prompt: str, stream: TextIO | None, echo_char: str | None) -> str:
    """Ask for a line that is not shown; outside of jobs as getpass.getpass does.

    In a job it is masked in the run's output from then on, if it is long enough for that.
    """
    read = _reader()
    if read is None:
        options = {} if echo_char is None else {"echo_char": echo_char}  # of Python 3.14
        return _originals[-1](prompt, stream, **options)
    shown = stream or sys.stdout
    shown.write(prompt)
    shown.flush()
    answer = read()
    if LEAST_LENGTH <= len(answer) <= MAX_SECRET:
        currentrun.mask(answer)
    shown.write((echo_char or "") * len(answer) + "\n")
    shown.flush()
    return answer


def _reader() -> Callable[[], str] | None:
    """What reads a hidden line of the job here; None outside of jobs, and on a terminal."""
    prompts = prompt_io(sys.stdin)
    if prompts is not None:
        return prompts.read_hidden
    run = currentrun.current_run()
    return None if run is None else run.hidden_reader()
