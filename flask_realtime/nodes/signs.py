"""Signs of life of the processes over one Redis, and what each says of itself with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import Redis

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.store.store import Store

BEAT_SECONDS = 5.0  # between two signs of life

# KEYS[1]: a hash, of each process the time of its last sign of life by Redis' own clock, and what
# it says of itself. ARGV: after how many s a process is gone, who tells, what it says. Who tells
# without more leaves; without both nothing is told. Returns the hash without those that are gone.
_TELL = """
local now = tonumber(redis.call('TIME')[1])
if ARGV[3] then
    redis.call('HSET', KEYS[1], ARGV[2], now .. ' ' .. ARGV[3])
elseif ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[2])
end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if now - tonumber(string.match(all[i + 1], '%d+')) > tonumber(ARGV[1]) then
        redis.call('HDEL', KEYS[1], all[i])
    end
end
return redis.call('HGETALL', KEYS[1])
"""


def heard(client: Redis, key: str, gone_seconds: int, *told: str) -> dict[str, bytes]:
    """What the processes say that live, by name.

    `told`: who tells and what it says, first; who leaves; or nothing. `gone_seconds` without a sign
    of life a process does not count any more.
    """
    flat: Any = client.eval(_TELL, 1, key, gone_seconds, *told)
    found = dict(zip(flat[::2], flat[1::2], strict=True))
    return {name.decode(): said.partition(b" ")[2] for name, said in found.items()}


class Signs:
    """The signs of life of this process, which is `name`. For greenlets of the hub's thread.

    `key` is that of the hash. `say()` is asked each time; `listen(said)` gets what the others say,
    by name.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        name: str,
        gone_seconds: int,
        say: Callable[[], str],
        listen: Callable[[dict[str, bytes]], None] = lambda said: None,
    ) -> None:
        self._store = store
        self._key = key
        self._name = name
        self._gone_seconds = gone_seconds
        self._say = say
        self._listen = listen
        self._task: host.Task | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._task = host.spawn(self._beat)

    def stop(self) -> dict[str, bytes]:
        """Tell that it goes; return what the others said last, nothing if Redis is away."""
        if self._task is not None:
            self._task.kill()
            self._task = None
        try:
            return self._ask()
        except StoreUnavailable:
            return {}  # this one is forgotten by itself

    def _beat(self) -> None:
        while True:
            try:
                others = self._ask(self._say())
            except StoreUnavailable:
                self._store.wait_until_available()
                continue
            self._listen(others)
            host.sleep(BEAT_SECONDS)

    def _ask(self, *told: str) -> dict[str, bytes]:
        said = self._store.call(
            lambda client: heard(client, self._key, self._gone_seconds, self._name, *told)
        )
        return {name: each for name, each in said.items() if name != self._name}
