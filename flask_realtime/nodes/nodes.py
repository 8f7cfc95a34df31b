"""The web nodes over one Redis: who else serves, and whether all of them have the same keys."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis

from flask_realtime import host
from flask_realtime.errors import StoreUnavailable
from flask_realtime.store import keys
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0  # between two signs of life
GONE_SECONDS = 12  # without one: the node does not count any more

# KEYS[1]: a hash, of each node the time of its last sign of life by Redis' own clock, and what it
# says of itself. ARGV: who tells or, without more, leaves; after how many s a node is gone; what it
# says. Returns the hash.
_TELL = """
local now = tonumber(redis.call('TIME')[1])
if ARGV[3] then
    redis.call('HSET', KEYS[1], ARGV[1], now .. ' ' .. ARGV[3])
else
    redis.call('HDEL', KEYS[1], ARGV[1])
end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if now - tonumber(string.match(all[i + 1], '%d+')) > tonumber(ARGV[2]) then
        redis.call('HDEL', KEYS[1], all[i])
    end
end
return redis.call('HGETALL', KEYS[1])
"""


class Nodes:
    """This web node among the others. For greenlets of the hub's thread.

    `name` is its own. `prints` has, for each setting whose keys all nodes have to know, their
    fingerprints; the first key is the one that makes, the others are those that are read as well.
    """

    def __init__(self, store: Store, name: str, prints: Mapping[str, Sequence[str]]) -> None:
        self._store = store
        self._name = name
        self._says = json.dumps(
            {"host": socket.gethostname(), "keys": {key: list(of) for key, of in prints.items()}}
        )
        self._prints = prints
        self._warned: set[tuple[str, str]] = set()
        self._task: host.Task | None = None

    def start(self) -> None:
        """Begin to tell of this node, and to look at what others say."""
        self._task = host.spawn(self._beat)

    def leave(self) -> bool:
        """Tell no more; whether there are others, as far as Redis knows."""
        if self._task is not None:
            self._task.kill()
            self._task = None
        try:
            return bool(self._store.call(lambda client: self._tell(client)))
        except StoreUnavailable:
            return False  # this one is forgotten by itself

    def _beat(self) -> None:
        while True:
            try:
                others = self._store.call(lambda client: self._tell(client, self._says))
            except StoreUnavailable:
                self._store.wait_until_available()
                continue
            for name, said in others.items():
                self._compare(name, json.loads(said))
            host.sleep(BEAT_SECONDS)

    def _tell(self, client: Redis, *says: str) -> dict[str, bytes]:
        """Return what the others say, by name."""
        flat: Any = client.eval(_TELL, 1, keys.NODES, self._name, GONE_SECONDS, *says)
        found = dict(zip(flat[::2], flat[1::2], strict=True))
        return {
            name.decode(): said.partition(b" ")[2]
            for name, said in found.items()
            if name.decode() != self._name
        }

    def _compare(self, name: str, said: dict[str, Any]) -> None:
        """Warn, once, of keys that are not the same there. A rotation may be under way."""
        for key, mine in self._prints.items():
            theirs = said["keys"].get(key)
            if theirs is None or (mine[0] in theirs and theirs[0] in mine):
                continue
            if (name, key) not in self._warned:
                self._warned.add((name, key))
                logger.warning(
                    "%s is not the same here and at the node on %s (%s): what one of them signs or "
                    "seals, logins for example, the other cannot read. Give all nodes the same "
                    "(docs/nodes.md)",
                    *(key, said["host"], name),
                )
