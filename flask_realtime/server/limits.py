"""What one client may take of a server: bytes, and above all time.

A client that sends its request a byte at a time, or never reads the answer, costs nothing to make
and holds a connection for ever (slowloris). `overdue` says when one has had its share; the time in
which the server itself was held up is no client's (`Progress.excuse`). Neither knows a clock or a
socket: the server asks about each connection once a second, which is cheaper than a timer for each
wait.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a server. Times are in seconds, sizes in bytes; None is no limit.

    `max_header_bytes` counts the header lines of one request. `max_body_bytes` is not for what a
    ReverseProxy passes on, which has a bound of its own. A body may pause for `body_seconds`
    in all, and for longer the more of it has come (`body_bytes_per_second`); the time that the
    application itself takes does not count. `write_seconds` is how long a client may read nothing
    of an answer that waits. `stop_seconds` is how long a stop waits for requests in progress.
    """

    max_connections: int = 10_000
    max_header_bytes: int = 64 * KIB
    max_body_bytes: int | None = 100 * MIB
    handshake_seconds: float = 10.0
    head_seconds: float = 20.0
    idle_seconds: float = 75.0
    body_seconds: float = 30.0
    body_bytes_per_second: int = 500
    write_seconds: float = 60.0
    stop_seconds: float = 10.0


class Phase(enum.Enum):
    """What a connection is at."""

    HANDSHAKE = "the TLS handshake"
    IDLE = "idle"
    HEAD = "the head of a request"
    ANSWER = "a request"
    SOCKET = "a WebSocket"


@dataclass(slots=True)
class Progress:
    """How far a connection has come; its socket and its protocol keep it up to date.

    Times are readings of one monotonic clock; `read_since` and `write_since` are None while
    nothing is waited for.
    """

    phase: Phase
    since: float
    read_since: float | None = None
    write_since: float | None = None
    waited_seconds: float = 0.0  # for the body, without the wait that goes on
    received: int = 0  # bytes, since the head was complete
    is_upgrade: bool = False  # a WebSocket was asked for: silence is no fault from then on

    def enter(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self.since = now
        self.waited_seconds = 0.0
        self.received = 0

    def excuse(self, seconds: float) -> None:
        """`seconds` of its wait were the server's: it did not look."""
        self.since += seconds
        if self.read_since is not None:
            self.read_since += seconds
        if self.write_since is not None:
            self.write_since += seconds


def overdue(progress: Progress, now: float, limits: Limits) -> str | None:
    """Why to close the connection now, for the log; None while there is no reason."""
    in_phase = now - progress.since
    if progress.write_since is not None and now - progress.write_since > limits.write_seconds:
        return f"it read nothing for {limits.write_seconds:g} s"
    if progress.phase is Phase.HANDSHAKE and in_phase > limits.handshake_seconds:
        return f"its TLS handshake took more than {limits.handshake_seconds:g} s"
    if progress.phase is Phase.IDLE and in_phase > limits.idle_seconds:
        return f"it was idle for {limits.idle_seconds:g} s"
    if progress.phase is Phase.HEAD and in_phase > limits.head_seconds:
        return f"the head of its request took more than {limits.head_seconds:g} s"
    if (
        progress.phase is Phase.ANSWER
        and progress.read_since is not None
        and not progress.is_upgrade
    ):
        waited = progress.waited_seconds + now - progress.read_since
        if waited > limits.body_seconds + progress.received / limits.body_bytes_per_second:
            return f"the body of its request came too slowly: {progress.received} bytes so far"
    return None
