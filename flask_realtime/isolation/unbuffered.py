"""The streams of a job's process: UTF-8, and unbuffered also when the job puts in its own."""

from __future__ import annotations

import io
import os
import sys
import types
from typing import Any


def prepare_streams() -> None:
    """Let stdin, stdout and stderr be UTF-8, the latter unbuffered, and what replaces them too.

    ``python -u`` does it for the streams that a program begins with. A TextIOWrapper that a job
    puts in their place, for another encoding say, would hold 8 KiB back until the job has ended.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # As in isolation `thread`: names of files that are no text pass as the bytes they are.
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    for stream in (sys.stdout, sys.stderr):
        unbuffer(stream)
    sys.__class__ = _Sys


class _Sys(types.ModuleType):
    """The module sys, which sees when stdout and stderr are replaced."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("stdout", "stderr"):
            unbuffer(value)
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """As a name: libraries that pickle functions with their modules know modules only."""
        return __import__, ("sys",)


def unbuffer(stream: object) -> None:
    """Let `stream`, if it is a buffer in front of descriptor 1 or 2, keep nothing back.

    One that gathers bytes (``open(1, "w")`` on a pipe) hands on whole lines.
    """
    if isinstance(stream, io.TextIOWrapper) and _is_output(stream):
        gathers = isinstance(stream.buffer, io.BufferedWriter)
        stream.reconfigure(write_through=True, line_buffering=gathers or stream.line_buffering)


def _is_output(stream: io.TextIOWrapper) -> bool:
    try:
        place = os.fstat(stream.fileno())
        return any(os.path.samestat(place, os.fstat(number)) for number in (1, 2))
    except (OSError, ValueError):  # it has no descriptor, or is closed or detached
        return False
