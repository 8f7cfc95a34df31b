"""Runs that nobody watches: those whose job wants it are stopped after a while.

A run has a key in Redis that lasts as long as it may go unwatched. Each process renews those of the
runs that it has viewers of, whoever owns them; where the key has expired the owner stops the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.store import keys
from flask_realtime.store.store import Store

LOOK_SECONDS = 1.0


class Unwatched:
    """Looks after the runs of this process, and tells others of its viewers. On the hub's thread.

    `viewers()` gives the runs that are watched here, beside those of `watching`. `stop(run,
    seconds)` is called, once, for a run that this process guards and that nobody has watched for
    `seconds`.
    """

    def __init__(
        self,
        store: Store,
        viewers: Callable[[], Iterable[str]],
        stop: Callable[[str, float], None],
    ) -> None:
        self._store = store
        self._viewers = viewers
        self._stop = stop
        self._streams: Counter[str] = Counter()
        self._guarded: dict[str, float] = {}  # run → seconds
        self._fresh: set[str] = set()  # those of which Redis does not know yet
        self._task: host.Task | None = None

    def start(self) -> None:
        """Begin to look, each second."""
        self._task = host.spawn(self._look_for_ever)

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.kill()
            self._task = None

    def guard(self, run: str, seconds: float) -> None:
        """Stop a run of this process once nobody has watched it for `seconds`."""
        self._guarded[run] = seconds
        self._fresh.add(run)

    def let_go(self, run: str) -> None:
        """Guard a run no longer, if it was guarded."""
        self._guarded.pop(run, None)
        self._fresh.discard(run)

    @contextmanager
    def watching(self, run: str) -> Iterator[None]:
        """Count as a viewer of `run`, of whatever process it is."""
        self._streams[run] += 1
        try:
            yield
        finally:
            self._streams[run] -= 1
            if not self._streams[run]:
                del self._streams[run]

    def _look_for_ever(self) -> None:
        while True:
            try:
                self.look()
            except StoreUnavailable:
                # Nobody could say that somebody watches: their time begins anew.
                self._fresh.update(self._guarded)
                self._store.wait_until_available()
            host.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Renew what is watched here, stop what nobody watches. Raises StoreUnavailable."""
        watched = {*self._viewers(), *self._streams}
        guarded = list(self._guarded)
        if not watched and not guarded:
            return
        fresh, self._fresh = self._fresh.intersection(guarded), set()
        try:
            known = self._store.call(lambda client: self._ask(client, watched, guarded, fresh))
        except StoreUnavailable:
            self._fresh |= fresh
            raise
        for run, is_known in known.items():
            if not is_known and run in self._guarded:
                seconds = self._guarded.pop(run)
                self._stop(run, seconds)

    def _ask(
        self, client: Redis, watched: set[str], guarded: list[str], fresh: set[str]
    ) -> dict[str, bool]:
        """Return of each guarded run whether its time has not run out."""
        pipeline: Any = client.pipeline(transaction=False)
        for run in watched:
            pipeline.execute_command(
                "EVAL", _RENEW, 1, keys.watched(run)
            )  # a cluster's has no eval
        for run in fresh:
            milliseconds = int(self._guarded[run] * 1000)
            pipeline.set(keys.watched(run), milliseconds, px=milliseconds)
        for run in guarded:
            pipeline.exists(keys.watched(run))
        answers = pipeline.execute()
        return dict(zip(guarded, map(bool, answers[len(answers) - len(guarded) :]), strict=True))


# KEYS[1]: the sign that a run is watched, whose value is how many ms it lasts.
_RENEW = """
local milliseconds = redis.call('GET', KEYS[1])
if milliseconds then
    redis.call('PEXPIRE', KEYS[1], milliseconds)
end
"""
