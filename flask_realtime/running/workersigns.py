"""What each process of a worker says of itself in Redis: it has no port that anybody could ask."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

from redis import Redis

from flask_realtime.nodes import signs
from flask_realtime.nodes.signs import Signs
from flask_realtime.store import keys
from flask_realtime.store.store import Store

GONE_SECONDS = 20  # without a sign of life: the process does not count any more


@dataclass(frozen=True, slots=True)
class Sign:
    """How a process does: `memory` in bytes, `cpu` in seconds and `output` in bytes since it began.

    Runs in processes of their own count for themselves, not here.
    """

    host: str
    pid: int
    runs: int = 0
    memory: int = 0
    cpu: float = 0.0
    output: int = 0

    @classmethod
    def load(cls, text: bytes) -> Sign:
        """Read one, also of a version with other fields."""
        said = json.loads(text)
        return cls(**{each.name: said[each.name] for each in fields(cls) if each.name in said})


def own_sign(runs: int, output: int) -> Sign:
    """That of this process."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE")
    return Sign(socket.gethostname(), os.getpid(), runs, memory, time.process_time(), output)


def heard(client: Redis) -> dict[str, Sign]:
    """The processes that live, by name."""
    said = signs.heard(client, keys.WORKERS, GONE_SECONDS)
    return {name: Sign.load(each) for name, each in said.items()}


def worker_signs(store: Store, name: str, look: Callable[[], Sign]) -> Signs:
    """Those of this process, which is `name`: `look()` is asked how it does."""

    def say() -> str:
        return json.dumps(asdict(look()), separators=(",", ":"))

    return Signs(store, keys.WORKERS, name, GONE_SECONDS, say)
