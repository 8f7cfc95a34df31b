"""How a web node goes: no new runs, its viewers to other nodes, its runs to their own end."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask_realtime import host
from flask_realtime.engine import Engine
from flask_realtime.nodes.nodes import Nodes
from flask_realtime.runs import Run

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.05  # between two looks at what goes on


def drain(engine: Engine, nodes: Nodes, let_go: Callable[[], None], seconds: float) -> None:
    """Refuse new runs, and wait up to `seconds` for those of this process to end by themselves.

    Where other nodes serve, those who watch here are let go at once, and go on there; else they
    stay, and see how the runs end. Runs can be stopped and answered meanwhile, from any node.
    """
    engine.refuse()
    if nodes.leave():
        let_go()
    deadline = host.Deadline(seconds)
    going_on = _awaited(engine)
    if going_on and seconds:
        logger.info("waiting up to %g s for %d runs to end", seconds, len(going_on))
    while deadline.left() and _awaited(engine):
        host.sleep(min(LOOK_SECONDS, deadline.left()))


def _awaited(engine: Engine) -> list[Run]:
    """The runs of this process that may end by themselves: those of services do not."""
    return [run for run in engine.runs.own() if engine.jobs.get(run.job).service is None]
