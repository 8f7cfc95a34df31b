"""What each process of a worker says of itself in Redis: it has no port that anybody could ask."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

from redis import Redis

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.store import keys
from flask_realtime.store.store import Store

BEAT_SECONDS = 5.0  # between two signs of life
GONE_SECONDS = 20  # without one: the process does not count any more

# KEYS[1]: a hash, of each process the time of its last sign of life by Redis' own clock, and what
# it says. ARGV: after how many s a process is gone, who tells, what it says; the last two may be
# left out. Returns the hash without those that are gone.
_TELL = """
local now = tonumber(redis.call('TIME')[1])
if ARGV[3] then
    redis.call('HSET', KEYS[1], ARGV[2], now .. ' ' .. ARGV[3])
end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if now - tonumber(string.match(all[i + 1], '%d+')) > tonumber(ARGV[1]) then
        redis.call('HDEL', KEYS[1], all[i])
    end
end
return redis.call('HGETALL', KEYS[1])
"""


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
    return _read(client.eval(_TELL, 1, keys.WORKERS, GONE_SECONDS))


def _tell(client: Redis, name: str, sign: Sign) -> dict[str, Sign]:
    text = json.dumps(asdict(sign), separators=(",", ":"))
    return _read(client.eval(_TELL, 1, keys.WORKERS, GONE_SECONDS, name, text))


def _read(flat: Any) -> dict[str, Sign]:
    found = dict(zip(flat[::2], flat[1::2], strict=True))
    return {name.decode(): Sign.load(said.partition(b" ")[2]) for name, said in found.items()}


class WorkerSigns:
    """Tells of this process, which is `name`: `look()` is asked how it does. For the hub."""

    def __init__(self, store: Store, name: str, look: Callable[[], Sign]) -> None:
        self._store = store
        self._name = name
        self._look = look
        self._task: host.Task | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._task = host.spawn(self._beat)

    def stop(self) -> None:
        """Tell that it goes, if Redis is there to hear it."""
        if self._task is not None:
            self._task.kill()
            self._task = None
        try:
            self._store.call(lambda client: client.hdel(keys.WORKERS, self._name))
        except StoreUnavailable:
            return  # it is forgotten by itself

    def _beat(self) -> None:
        while True:
            try:
                self._store.call(partial(_tell, name=self._name, sign=self._look()))
            except StoreUnavailable:
                self._store.wait_until_available()
                continue
            host.sleep(BEAT_SECONDS)
