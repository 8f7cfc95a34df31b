"""What a supervisor says of its app server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """How an app server does.

    `state` is stopped, starting, ready, stopping or waiting (to be started again). `pid` is that of
    the guard, whose child the app server is. `since` is in seconds since the epoch, `starts` counts
    them, `fault` says why the last life ended, or is empty. `failed_starts` counts those in a row
    that never became ready. `held`: it was stopped by hand, and requests do not start it.
    """

    state: str
    pid: int | None
    since: float
    starts: int
    fault: str
    failed_starts: int = 0
    held: bool = False
