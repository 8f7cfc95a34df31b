"""Whose turn it is to sweep. Two that sweep at once do no harm, they only work twice."""

from __future__ import annotations

from functools import partial

from redis import Redis

from flask_realtime import host
from flask_realtime.store.keys import SWEEPER
from flask_realtime.store.store import Store

TURN_SECONDS = 60  # that one lasts, and the others wait


class TurnOver(Exception):
    """A sweep took longer than its turn: another process may have begun one."""


class Turn:
    """The turns of one process, `owner`. For greenlets of the hub's thread."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner
        self._taken = False
        self._kept = host.Deadline(0)

    def take(self) -> bool:
        """Begin a turn, unless one has begun less than TURN_SECONDS ago, here or elsewhere.

        A Redis without memory has no room for a turn: then all sweep, which makes some.
        """
        self._taken = self._store.available
        if not self._taken:
            return True
        self._renew_later()
        return self._store.call(
            lambda client: bool(client.set(SWEEPER, self._owner, nx=True, ex=TURN_SECONDS))
        )

    def keep(self) -> None:
        """Go on with a turn; call it often. Raises TurnOver."""
        if not self._taken or self._kept.left():
            return
        if not self._store.read(partial(_renew, owner=self._owner)):
            raise TurnOver
        self._renew_later()

    def give_up(self) -> None:
        """Let another process begin at once."""
        self._store.call(partial(_give_up, owner=self._owner))

    def _renew_later(self) -> None:
        self._kept = host.Deadline(TURN_SECONDS / 4)


def _renew(client: Redis, owner: str) -> bool:
    return bool(client.eval(_RENEW, 1, SWEEPER, owner, TURN_SECONDS))


_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return 0
"""


def _give_up(client: Redis, owner: str) -> None:
    client.eval(_GIVE_UP, 1, SWEEPER, owner)


_GIVE_UP = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
"""
