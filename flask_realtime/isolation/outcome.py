"""How a job ended, by what it raised or did not: the same in a thread and in a process."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TextIO

from flask_realtime.isolation.ending import Exit
from flask_realtime.isolation.ownframes import is_ours
from flask_realtime.masking import in_a_line

MAX_REASON = 500  # characters of an exception that the run's record keeps; all is in the output
MAX_SHOWN = 8 << 10  # characters of it that are looked at for that


def returned(*, stop_asked: bool) -> Exit:
    """The end of a job that came to its end."""
    return Exit("stopped", 0, "stopped") if stop_asked else Exit("succeeded", 0, "finished")


def raised(error: BaseException, *, stop_asked: bool) -> Exit:
    """The end of a job that raised `error`; what there is to say of it is printed to stderr."""
    if isinstance(error, SystemExit):
        return _exited(error, stop_asked)
    if stop_asked and _is_interruption(error):
        return returned(stop_asked=True)
    show(error)
    return Exit("failed", 1, one_line(error))


def show(error: BaseException) -> None:
    """Print the traceback of `error` to stderr, from the first frame that is not ours."""
    import traceback  # a job that ends well does not pay for it

    frames = _own_part(error.__traceback__)
    traceback.print_exception(type(error), error, frames, file=_stderr())


def one_line(error: BaseException) -> str:
    """What `error` is and says, for a run's record."""
    import traceback

    lines = traceback.format_exception_only(type(error), error)
    if isinstance(error, SyntaxError):  # the others are the place and the code
        lines = [f"{type(error).__name__}: {error.msg}"]
    return _in_a_line("".join(lines))


def _in_a_line(text: str) -> str:
    from flask_realtime.search.ansi import AnsiFilter

    plain = AnsiFilter().feed(text[:MAX_SHOWN].encode("utf-8", "backslashreplace"))
    return in_a_line(plain.decode("utf-8", "replace"))[:MAX_REASON].strip()


def _exited(error: SystemExit, stop_asked: bool) -> Exit:
    """As the interpreter does it: None is 0, a number is the code, all else is a message."""
    code = error.code
    if code is None:
        code = 0
    if not isinstance(code, int):
        print(code, file=_stderr())
        return Exit("failed", 1, _in_a_line(str(code)))
    if code == 0:
        return returned(stop_asked=stop_asked)
    return Exit("failed", code, f"exited with code {code}")


def _stderr() -> TextIO | None:
    return sys.stderr or sys.__stderr__  # a job may have taken it away


def _is_interruption(error: BaseException) -> bool:
    asyncio = sys.modules.get("asyncio")  # without it nobody can have raised its exception
    return isinstance(error, KeyboardInterrupt) or (
        asyncio is not None and isinstance(error, asyncio.CancelledError)
    )


def _own_part(frames: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins with the job's own frame."""
    while frames is not None and is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames
