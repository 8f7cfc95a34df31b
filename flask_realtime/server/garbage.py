"""Collections of cyclic garbage that do not hold everybody up.

The interpreter's full collection looks at all objects that there are, and nothing else runs
meanwhile: with 5,000 viewers it took 0.4 s, time and again (docs/decisions/096-idle-viewers.md).
Most of what one has looked at stays for long, so the next one need not look at it again.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WHOLE_SECONDS = 300.0  # after so long one looks at everything again

# So many new objects make the interpreter look for garbage among them. With its own 700 a full
# collection comes three times as often; with 5,000 one took 0.3 s while 5,000 viewers came.
NEW_OBJECTS = 2_000
OLDEST = 2  # the generation that only a full collection looks at


class Collections:
    """What each full collection does with what it leaves alive: a callback of `gc`.

    What has become garbage later is found by the next one that looks at everything.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._whole_at = now()

    def told(self, phase: str, info: dict[str, int]) -> None:
        """A collection starts or stops."""
        if info["generation"] < OLDEST:
            return
        if phase == "stop":
            gc.freeze()
        elif self._now() - self._whole_at >= WHOLE_SECONDS:
            self._whole_at = self._now()
            gc.unfreeze()


@contextmanager
def short_collections() -> Iterator[None]:
    """Keep full collections short while the block runs; what is there now stays as well."""
    told = Collections().told
    before = gc.get_threshold()
    gc.freeze()
    gc.callbacks.append(told)
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(told)
        gc.unfreeze()
