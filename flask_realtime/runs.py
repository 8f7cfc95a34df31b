"""Runs: the record of one, its states, and ids."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

from flask_realtime.errors import RealtimeError, UnknownRun

STATES: dict[str, tuple[str, ...]] = {  # state → what may follow it
    "queued": ("running", "stopped", "failed", "lost"),
    # Back to queued: its worker was lost, and its job may be begun anew.
    "running": ("queued", "stopping", "succeeded", "failed", "stopped", "lost"),
    "stopping": ("succeeded", "failed", "stopped", "lost"),
    "succeeded": (),
    "failed": (),
    "stopped": (),
    "lost": (),
}
FINAL = frozenset(state for state, following in STATES.items() if not following)


@dataclass
class Run:
    """One run of a job. Times are ISO 8601, UTC, with milliseconds; None until known."""

    id: str
    job: str
    params: dict[str, Any]
    user: str
    executor: str
    isolation: str
    owner: str  # the process that runs it; empty until a worker has taken it
    host: str = field(default_factory=socket.gethostname)
    queue: str | None = None  # which workers take it; None: the process that was asked runs it
    attempt: int = 1  # how often it was begun, or will have been once a worker takes it
    attempts: int = 1  # how often it may be: again when its worker is lost
    state: str = "queued"
    created: str = field(default_factory=lambda: now())
    started: str | None = None
    ended: str | None = None
    stop_requested: str | None = None
    stop_reason: str | None = None  # why the server asked it to stop, if nobody else did
    stop_overdue: bool = False  # it was asked to stop, and the grace period has passed
    stop_grace: float | None = None  # seconds from Stop until it is ended by force, if it is
    exit: dict[str, Any] | None = None  # {"code", "reason"}
    processes: dict[str, int] | None = None  # {"ended", "left"}: those that were ended with it
    queue_position: int | None = None  # counted from 1, while it waits until it may begin
    waiting: dict[str, Any] | None = None  # {"since", "hidden", "prompt"}: for input
    progress: dict[str, Any] | None = None
    output_bytes: int = 0
    output_lines: int = 0  # line feeds in the output
    output_removed: bool = False  # retention has removed all output, and left the record

    @property
    def unclaimed(self) -> bool:
        """Whether it waits for a worker."""
        return self.state == "queued" and not self.owner

    @property
    def final(self) -> bool:
        return self.state in FINAL

    def enter(self, state: str) -> None:
        """Change the state, and note when; a change that cannot be is a programming error."""
        if state not in STATES[self.state]:
            raise RealtimeError(f"run {self.id} is {self.state}: it cannot become {state}")
        self.state = state
        self.queue_position = None
        if state == "queued":
            self.waiting = self.progress = None
        elif state == "running":
            self.started = now()
        elif state == "stopping":
            self.stop_requested = now()
        elif state in FINAL:
            self.ended = now()
            self.stop_overdue = False
            self.waiting = None

    @property
    def named(self) -> dict[str, str]:
        """The `extra` of entries of the log about it."""
        return {"run": self.id, "user": self.user}

    def public(self) -> dict[str, Any]:
        """The object of the wire protocol: all but the owner."""
        record = asdict(self)
        del record["owner"]
        return record

    def dump(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def load(cls, data: bytes) -> Run:
        """Read a record, also one of a version with other fields."""
        record = json.loads(data)
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in known})


def now() -> str:
    """The time as records have it."""
    return timestamp(datetime.now(timezone.utc))


def timestamp(when: datetime) -> str:
    """A time in UTC as records have it: as texts they are ordered as in time."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unknown_run(run: str) -> UnknownRun:
    return UnknownRun(f"there is no run {run[:64]!r}; it may be older than what is kept")


class RunIds:
    """Makes run ids: they sort by creation, within a process strictly, and cannot be guessed."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def new(self) -> str:
        with self._lock:
            self._last = max(self._clock() // 1000, self._last + 1)
            return f"{self._last:014x}{secrets.token_hex(5)}"
