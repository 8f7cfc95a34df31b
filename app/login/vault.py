"""The access token of a user, renewed once however many ask for it, in however many processes.

Who first takes the lock renews; the others wait and use what it stored. The lock may be lost (a
process that hangs): then the store itself refuses the later one, because it names the version of
the tokens that it renewed. What was logged out meanwhile is not brought back the same way.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import RedisClusterException, RedisError

from app.login.errors import TokenRefused, TokenServiceUnavailable
from app.login.logins import Logins, StoredTokens, failed_key, renewing_key
from app.login.tokens import Tokens

LOCK_MS = 30_000  # longer than a renewal takes: two timeouts and some
FAILED_MS = 3_000  # for so long those who wait do not ask a service that just failed again
WAIT_SECONDS = 45.0  # in all, until a caller is told that it did not work
PAUSE_SECONDS = 0.05  # between two looks at what the one who renews has stored

LOGGED_OUT = "you are logged out of Webex: log in again and start the job again"
BUSY = "Webex did not renew your login in time: start the job again in a moment"
STORE_AWAY = "Redis, which keeps your login, does not answer: start the job again in a moment"


class LoginOver(Exception):
    """The login has ended: only logging in again helps. The text is a sentence for the user."""


class TokenVault:
    """Gives access tokens. It blocks: for native threads only.

    `connect()` returns a blocking client; `refresh(refresh_token)` asks the token endpoint and
    returns its answer; `issued(token)` is told of each new secret.
    """

    def __init__(
        self,
        logins: Logins,
        connect: Callable[[], Redis],
        refresh: Callable[[str], Mapping[str, Any]],
        *,
        issued: Callable[[str], None] = lambda token: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._logins = logins
        self._connect = connect
        self._refresh = refresh
        self._issued = issued
        self._now = now

    def access_token(self, user: str) -> str:
        """Return a token that has not expired, by our clock.

        Raises LoginOver; TokenServiceUnavailable when it cannot be had now.
        """
        return self._get(user, None)

    def renewed(self, user: str, refused: str) -> str:
        """Return another token than `refused`, which Webex did not accept. Raises the same."""
        return self._get(user, refused)

    def _get(self, user: str, refused: str | None) -> str:
        deadline = time.monotonic() + WAIT_SECONDS
        try:
            while time.monotonic() < deadline:
                client = self._connect()
                stored = self._stored(client, user)
                if self._usable(stored, refused):
                    return stored.tokens.access_token
                _raise_what_failed(client, user, stored)
                key, lock = _lock_key(user, stored), secrets.token_hex(8)
                if client.set(key, lock, nx=True, px=LOCK_MS):
                    try:
                        self._renew(client, user, refused)
                    finally:
                        client.eval(_UNLOCK, 1, key, lock)
                else:
                    time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
        except (RedisError, RedisClusterException) as error:
            raise TokenServiceUnavailable(STORE_AWAY) from error
        raise TokenServiceUnavailable(BUSY)

    def _stored(self, client: Redis, user: str) -> StoredTokens:
        stored = self._logins.tokens(client, user)
        if stored is None:
            raise LoginOver(LOGGED_OUT)
        return stored

    def _usable(self, stored: StoredTokens, refused: str | None) -> bool:
        return stored.tokens.access_token != refused and not stored.tokens.stale(self._now())

    def _renew(self, client: Redis, user: str, refused: str | None) -> None:
        """With the lock held: ask for new tokens, unless somebody did since we last looked."""
        stored = self._stored(client, user)
        if self._usable(stored, refused):
            return
        _raise_what_failed(client, user, stored)
        if stored.tokens.refresh_token is None:
            self._over(client, user, stored, "Webex gave no token to renew it with")
            return
        try:
            answer = self._refresh(stored.tokens.refresh_token)
        except TokenRefused as error:
            if error.by_user:
                self._over(client, user, stored, str(error))
            else:
                self._failed(client, user, stored, str(error))
        except TokenServiceUnavailable as error:
            self._failed(client, user, stored, str(error))
        else:
            tokens = Tokens.from_answer(answer, self._now(), stored.tokens)
            self._issued(tokens.access_token)
            if tokens.refresh_token is not None:
                self._issued(tokens.refresh_token)
            self._logins.replace(client, user, stored.version, tokens)

    def _failed(self, client: Redis, user: str, stored: StoredTokens, reason: str) -> None:
        client.set(_failed_key(user, stored), reason, px=FAILED_MS)
        raise TokenServiceUnavailable(reason)

    def _over(self, client: Redis, user: str, stored: StoredTokens, reason: str) -> None:
        """Webex no longer accepts this login: forget it, unless there is another one by now."""
        if self._logins.end(client, user, stored.version):
            raise LoginOver(f"your Webex login has ended ({reason}): log in again")


def _raise_what_failed(client: Redis, user: str, stored: StoredTokens) -> None:
    """Raise TokenServiceUnavailable if a renewal of these tokens has just failed."""
    failure = client.get(_failed_key(user, stored))
    if failure is not None:
        raise TokenServiceUnavailable(_text(failure))


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace")


# Both are of just these tokens: a new login is not held up by what the last one waits for.


def _lock_key(user: str, stored: StoredTokens) -> str:
    return renewing_key(user, stored.version)


def _failed_key(user: str, stored: StoredTokens) -> str:
    return failed_key(user, stored.version)


# Only who holds the lock may give it back: it may have run out, and be another's by now.
_UNLOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
"""
