"""What a proxy waits for, and how much it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds; a page waits shorter than a script, since it can show that it waits."""

    connect_timeout: float = 5.0
    read_timeout: float = 60.0  # before the first piece of an answer, and between two
    idle_timeout: float = 3600.0  # of a tunnel, and of a stream of server-sent events
    max_body_bytes: int | None = None  # of a request; None: as many as the app server takes
    max_tunnels: int = 1000
    hold_page: float = 1.0  # for an app server that starts
    hold: float = 30.0
