"""Runs a job as a FlaskThread does, in this thread, and keeps what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Stop:
    """The Stop button."""

    def __init__(self) -> None:
        self._pressed: float | None = None

    def press(self) -> None:
        self._pressed = self._pressed or time.monotonic()

    def running(self) -> bool:
        return self._pressed is None

    @property
    def ago(self) -> float:
        """Seconds since it was pressed."""
        assert self._pressed is not None
        return time.monotonic() - self._pressed


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    lines: list[str]
    sentence: str  # of a SystemExit; empty if it just returned
    stopped_in: float  # seconds from the stop to the end; 0 without a stop

    @property
    def spaces(self) -> list[str]:
        """The lines of the spaces, without their numbers, sorted."""
        return sorted(line.partition("] ")[2] for line in self.lines if line.startswith("["))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def run_job(job: Callable[..., Any], stop: Stop, seconds: float = 20, **params: Any) -> Outcome:
    """Run `job(running, **params)`; one that takes longer than `seconds` fails."""
    output, sentence = io.StringIO(), ""

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_later(seconds, task.cancel)
        await job(stop.running, **params)

    complaints: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    try:
        with contextlib.redirect_stdout(output):
            asyncio.run(main())
    except SystemExit as error:
        sentence = str(error.code)
    finally:
        gc.collect()  # asyncio complains of forgotten tasks when they are collected
        logger.removeHandler(handler)
    assert not complaints
    ago = 0.0 if stop.running() else stop.ago
    return Outcome(output.getvalue().splitlines(), sentence, ago)
