"""How a run ended. On its own, for a job's process that says so and needs nothing else of a box."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Processes:
    """How many processes were ended with a run, and how many of them are still there."""

    ended: int
    left: int


@dataclass(frozen=True)
class Exit:
    """How a job ended: `code` as a process would have it, `reason` for people."""

    state: str  # one of runs.FINAL
    code: int | None  # None: it did not end by itself
    reason: str
    processes: Processes | None = None  # None: it had none of its own
