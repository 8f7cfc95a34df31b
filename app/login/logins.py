"""Who is logged in: sessions of browsers and tokens of users, in Redis.

A browser holds a random session id in a signed cookie; Redis knows it by its hash only. A user has
one set of tokens, however many browsers they are logged in with, and logging out ends them all:
Webex withdraws the tokens, so none of them could go on.

All calls take the Redis client to use: the hub's, which lets other greenlets run, or a blocking
one on a native thread.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from redis import Redis

from app.login.tokens import TokenCipher, Tokens, TokensUnreadable
from flask_realtime.store import keys

logger = logging.getLogger(__name__)

# Scripts change several of these keys together, so they all belong to one place of a cluster.
_PREFIX = keys.SHARED


@dataclass(frozen=True)
class Account:
    """Who a session belongs to. `user` is the id that Webex has for them."""

    user: str
    name: str
    email: str
    lacks: tuple[str, ...] = ()  # scopes that were asked for and not granted


@dataclass(frozen=True)
class StoredTokens:
    """Tokens, and the version that a change of them must name."""

    tokens: Tokens
    version: str


class Logins:
    """Begins, finds and ends logins.

    `issuer` names the service that logs in: after a change of it nobody is logged in, and no
    token goes to where it does not belong. `seconds` is how long a login lasts.
    """

    def __init__(
        self,
        cipher: TokenCipher,
        issuer: str,
        *,
        seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cipher = cipher
        self._issuer = issuer
        self._seconds = int(seconds)
        self._now = now

    def begin(self, client: Redis, account: Account, tokens: Tokens) -> str:
        """Store a login, all of it or nothing, and return the new session's id."""
        session = secrets.token_urlsafe(32)
        record = json.dumps({"issuer": self._issuer, "account": asdict(account)})
        now = self._now()
        with client.pipeline(transaction=True) as steps:
            steps.hset(
                _tokens_key(account.user),
                mapping={
                    "version": secrets.token_hex(8),
                    "data": self._cipher.seal(account.user, self._issuer, tokens),
                },
            )
            steps.expire(_tokens_key(account.user), self._seconds)
            steps.set(_session_key(session), record, ex=self._seconds)
            steps.zremrangebyscore(_sessions_key(account.user), "-inf", now)
            steps.zadd(_sessions_key(account.user), {_session_key(session): now + self._seconds})
            steps.expire(_sessions_key(account.user), self._seconds)
            steps.execute()
        return session

    def who(self, client: Redis, session: str) -> Account | None:
        """Return whose session it is; None when there is none, or none any more."""
        found: Any = client.get(_session_key(session))
        if found is None:
            return None
        record = json.loads(found)
        if record["issuer"] != self._issuer:
            return None
        account = record["account"]
        return Account(**{**account, "lacks": tuple(account["lacks"])})

    def end_session(self, client: Redis, session: str) -> None:
        """Forget one browser's session; the user's tokens and other sessions stay."""
        client.delete(_session_key(session))

    def tokens(self, client: Redis, user: str) -> StoredTokens | None:
        """Return the user's tokens; None when they are logged out, or no key opens them."""
        version, data = _fields(client.hmget(_tokens_key(user), ["version", "data"]))
        if version is None or data is None:
            return None
        try:
            return StoredTokens(self._cipher.open(user, self._issuer, data), version.decode())
        except TokensUnreadable as error:
            logger.warning("the tokens of %s cannot be used: %s", user, error)
            return None

    def replace(self, client: Redis, user: str, version: str, tokens: Tokens) -> bool:
        """Store renewed tokens if those of `version` still stand.

        False, and nothing is changed, when the user has logged out or in again meanwhile.
        """
        sealed = self._cipher.seal(user, self._issuer, tokens)
        done: Any = client.eval(
            _REPLACE, 1, _tokens_key(user), version, secrets.token_hex(8), sealed, self._seconds
        )
        return bool(done)

    def end(self, client: Redis, user: str, version: str | None = None) -> bool:
        """Forget the user's tokens and all their sessions; what is left cannot log in or renew.

        With `version` only if the tokens still are those: False when they are not.
        """
        done: Any = _CHANGED
        while done == _CHANGED:
            members: Any = client.zrange(_sessions_key(user), 0, -1)
            # The members of a set of schema 1 begin with that one's prefix.
            sessions = [f"{_PREFIX}session:{each.decode().rpartition(':')[2]}" for each in members]
            names = [_tokens_key(user), _sessions_key(user), *sessions]
            done = client.eval(_END, len(names), *names, version or "", *members)
        return bool(done)


def _fields(answer: Any) -> list[bytes | None]:
    return list(answer)


def _tokens_key(user: str) -> str:
    return f"{_PREFIX}tokens:{user}"


def _sessions_key(user: str) -> str:
    return f"{_PREFIX}sessions:{user}"


def login_key(name: str) -> str:
    """Of a login that has begun."""
    return f"{_PREFIX}login{name}"


def renewing_key(user: str, version: str) -> str:
    """Of the lock that a renewal of the tokens of `version` holds."""
    return f"{_PREFIX}renewing:{user}:{version}"


def failed_key(user: str, version: str) -> str:
    """Of the sign that such a renewal has just failed."""
    return f"{_PREFIX}renewal-failed:{user}:{version}"


def _session_key(session: str) -> str:
    return f"{_PREFIX}session:{hashlib.sha256(session.encode()).hexdigest()}"


# KEYS[1] the tokens; ARGV: the version that must stand, the new one, the data, seconds to keep it.
_REPLACE = """
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then
    return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'data', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

_CHANGED = 2

# KEYS: the tokens, the set of sessions, and these; ARGV: the version that must stand, or nothing,
# and the members that the set must have: a script may touch only what it was given.
_END = """
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then
    return 0
end
if redis.call('ZCARD', KEYS[2]) ~= #ARGV - 1 then
    return 2
end
for i = 2, #ARGV do
    if not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
        return 2
    end
end
redis.call('DEL', unpack(KEYS))
return 1
"""
