"""The table of isolations: name → what makes a box."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask_realtime.isolation.box import Box, Launch, Watcher
from flask_realtime.isolation.process import ProcessBox
from flask_realtime.isolation.thread import ThreadBox
from flask_realtime.routing import Routing

Maker = Callable[[Launch, Watcher], Box]


def isolations(routing: Routing) -> dict[str, Maker]:
    """The isolations of this process, whose stdout `routing` routes."""
    return {
        "thread": partial(ThreadBox, routing),
        "process": ProcessBox,
    }
