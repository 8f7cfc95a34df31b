"""What one sandbox holds: its data, grants, settings, faults and the log of its requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from webexsandbox.faults import Armed, Count, Seconds
from webexsandbox.grants import Grants
from webexsandbox.options import Options
from webexsandbox.world import World

LOG_ENTRIES = 10_000


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """What the control endpoint may change. Times are seconds."""

    latency: Seconds = 0.0  # before each answer of the API
    max_clamp: Annotated[int, msgspec.Meta(ge=1)] = 1000  # largest page
    expires_in: Count = 1209599  # of access tokens
    refresh_mode: Literal["same", "rotate", "omit"] = "same"
    code_seconds: Seconds = 300.0
    error_shape: Literal["message", "error"] = "message"  # of the token endpoint


@dataclass(slots=True)
class Recorder:
    """The log of requests, newest last. It holds no token, code or secret."""

    requests: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    token_calls: int = 0
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOG_ENTRIES))

    def begin(self, entry: dict[str, Any]) -> None:
        self.requests += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.log.append(entry)

    def reset(self) -> None:
        """Forget all but the requests that are being answered now."""
        self.requests = self.token_calls = 0
        self.most_in_flight = self.in_flight
        self.log.clear()


class State:
    """One for each application; its handlers find it under STATE."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.world = World(options.seed, options.spaces, options.messages)
        self.recorder = Recorder()
        self.grants = Grants()
        self.settings = Settings()
        self.faults: list[Armed] = []

    def reset(self) -> None:
        self.world.reset()
        self.recorder.reset()
        self.grants = Grants()
        self.settings = Settings()
        self.faults = []


STATE = web.AppKey("state", State)
