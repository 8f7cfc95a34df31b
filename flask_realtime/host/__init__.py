"""What the rest needs of the hub, under names of our own: on eventlet, or on plain threads.

Whatever the implementation, the hub lets one task run at a time, until that waits: nothing happens
between two waits, and the code above needs no locks of its own. Jobs run on native threads beside
it, as plain Python. A call that may wait for anything but another task goes through `offload`.
Everything here, except where said, is for the hub's tasks only.

`choice` has the table of implementations; the first name that is asked for here settles which one
it is: `use` has to come before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_realtime.host.choice import chosen, use
from flask_realtime.host.connection import Connection
from flask_realtime.host.deadline import Deadline
from flask_realtime.host.task import SWITCH_SECONDS, Task

if TYPE_CHECKING:
    from flask_realtime.host.eventlet import (
        ASYNC_MODE,
        IS_THREADED,
        Signal,
        TaskExit,
        Timeout,
        accept,
        closing,
        entered,
        green_socket,
        listen,
        offload,
        sleep,
        spawn,
        wait_readable,
        wait_writable,
    )
    from flask_realtime.host.waiting import wait_for

__all__ = [
    "ASYNC_MODE",
    "IS_THREADED",
    "SWITCH_SECONDS",
    "Connection",
    "Deadline",
    "Signal",
    "Task",
    "TaskExit",
    "Timeout",
    "accept",
    "closing",
    "entered",
    "green_socket",
    "listen",
    "offload",
    "sleep",
    "spawn",
    "use",
    "wait_for",
    "wait_readable",
    "wait_writable",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(chosen(), name)
    return value
