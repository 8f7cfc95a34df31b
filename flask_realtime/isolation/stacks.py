"""Where threads are in their Python code. The standard library only: a job's child has it too."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any

MAX_FRAMES = 100  # of one stack; of a deeper one the innermost are shown
MAX_CODE = 200  # characters of a line of code


def frames_of(threads: Iterable[threading.Thread]) -> dict[int, FrameType]:
    """The innermost frame of each of `threads` that runs Python code now, by its `ident`."""
    now = sys._current_frames()
    return {thread.ident: now[thread.ident] for thread in threads if thread.ident in now}


def stack_of(frame: FrameType) -> list[dict[str, Any]]:
    """The stack that `frame` is the innermost of, as ``[{"file", "line", "function", "code"}]``.

    The innermost comes last. `code` is the line of the source, empty where it cannot be read. It
    reads the source from the disk, so not for the hub's thread; the thread may run on meanwhile,
    and then the lines are those of different moments.
    """
    frames = [each for each, _ in traceback.walk_stack(frame)]
    return lines_of(frames[:MAX_FRAMES][::-1])


def lines_of(frames: Sequence[FrameType]) -> list[dict[str, Any]]:
    """As `stack_of`, of frames that are given, the innermost last."""
    summary = traceback.StackSummary.extract(
        (frame, frame.f_lineno) for frame in frames[-MAX_FRAMES:]
    )
    return [
        {
            "file": item.filename,
            "line": item.lineno or 0,
            "function": item.name,
            "code": (item.line or "")[:MAX_CODE],
        }
        for item in summary
    ]


def is_in(frame: FrameType | None, *functions: Any) -> bool:
    """Whether one of `functions` is being called in the stack of `frame`."""
    codes = {function.__code__ for function in functions}
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False
