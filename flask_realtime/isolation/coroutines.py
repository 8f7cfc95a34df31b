"""Where the coroutines of an event loop wait. The standard library only, as for stacks.py.

A coroutine that waits is in no thread's stack: there one sees the loop that waits for all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from flask_realtime.isolation.stacks import lines_of

MAX_TASKS = 50  # of one loop; more of them are seldom different


def tasks_in(frame: FrameType) -> list[dict[str, Any]]:
    """The tasks that wait of the loop that runs in the stack of `frame`, as a report's threads.

    None when no loop of asyncio's own runs there. It reads source code from the disk.
    """
    asyncio = sys.modules.get("asyncio")
    loop = None if asyncio is None else _loop_in(frame, asyncio.BaseEventLoop.run_forever.__code__)
    if asyncio is None or loop is None:
        return []
    waiting = []
    for task in asyncio.all_tasks(loop):
        frames = list(_awaited(task.get_coro()))
        if frames:
            waiting.append((task.get_name(), id(task), frames))
    waiting.sort(key=lambda each: (len(each[0]), each[0]))  # Task-2 before Task-10
    return [
        {"name": name, "ident": ident, "doing": "sleeping", "stack": lines_of(frames)}
        for name, ident, frames in waiting[:MAX_TASKS]
    ]


def _loop_in(frame: FrameType | None, runs: Any) -> Any:
    while frame is not None:
        if frame.f_code is runs:
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None


def _awaited(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it waits for, outermost first; none if it runs."""
    while coroutine is not None:
        kind = next(
            (each for each in ("cr", "gi", "ag") if hasattr(coroutine, f"{each}_frame")), ""
        )
        frame = getattr(coroutine, f"{kind}_frame", None)
        if frame is None or getattr(coroutine, f"{kind}_running"):
            return
        yield frame
        coroutine = getattr(
            coroutine, {"cr": "cr_await", "gi": "gi_yieldfrom", "ag": "ag_await"}[kind]
        )
