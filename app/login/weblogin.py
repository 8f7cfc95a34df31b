"""The Webex login of the application: its parts, put together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask
from redis import Redis

from app.login.errors import TokenServiceUnavailable
from app.login.integration import Integration
from app.login.jobaccess import JobAccess
from app.login.logins import Account, login_key
from app.login.oauth import WebexOAuth
from app.login.sessions import Sessions
from app.login.tokens import Tokens
from app.webex.types import Person
from app.webexteamsasyncapi import WebexTeamsAsyncAPI
from flask_realtime import Realtime, host
from flask_realtime.masking import Secrets
from flask_realtime.store.store import Store

logger = logging.getLogger(__name__)

ME_SECONDS = 15.0  # in which Webex must say who has logged in


class WebexLogin:
    """Who visitors are, by their Webex account, and what their jobs may use of it.

    It is made before the Realtime that asks it who a visitor is; `connect` gives it the Redis of
    that. `api_base_url` ends with a slash; `seconds` is how long a login lasts; `secrets` learns
    each token, so that no log shows one.
    """

    def __init__(
        self,
        app: Flask,
        integration: Integration,
        *,
        api_base_url: str,
        token_keys: tuple[str, ...],
        seconds: float,
        secrets: Secrets,
    ) -> None:
        self.integration = integration
        self._app = app
        self._api_base_url = api_base_url
        self._secrets = secrets
        self._access = JobAccess(
            integration,
            lambda: self._connect(),
            api_base_url=api_base_url,
            token_keys=token_keys,
            seconds=seconds,
            secrets=secrets,
        )
        self._logins = self._access.logins

    def connect(self, realtime: Realtime) -> None:
        """Keep logins in the Redis of `realtime`, and give its runs their user's Webex."""
        store = realtime.engine.store
        self.sessions = Sessions(self._logins, store)
        self.oauth = WebexOAuth(self._app, self.integration, _StoreCache(store))
        self._connect = realtime.blocking_redis
        self._store = store
        realtime.mask(self.integration.client_secret)
        realtime.before_run(self._access)

    def identify(self) -> str | None:
        """The user of the current request, as the library wants it."""
        account = self.sessions.account()
        return None if account is None else account.user

    def complete(self, answer: Mapping[str, Any]) -> Account:
        """Log in whom the token endpoint's `answer` is for.

        Nothing is stored unless Webex says who that is. Raises WebexError,
        TokenServiceUnavailable and StoreUnavailable.
        """
        tokens = Tokens.from_answer(answer, time.time())
        self._learn(tokens)
        try:
            with host.Timeout(ME_SECONDS, TokenServiceUnavailable(_SLOW)):
                me = host.offload(asyncio.run, self._who_is(tokens.access_token))
            account = Account(
                user=me.id,
                name=me.display_name or me.id,
                email=me.emails[0] if me.emails else "",
                lacks=tuple(tokens.lacks(self.integration.scope)),
            )
            self.sessions.begin(lambda client: self._logins.begin(client, account, tokens))
        except Exception:
            self._revoke(tokens)  # nobody will use them
            raise
        logger.info("%s has logged in", account.user)
        return account

    def log_out(self, user: str) -> None:
        """Forget the tokens and all sessions of `user`, and let Webex revoke the tokens.

        Raises StoreUnavailable; then nothing has changed.
        """
        stored = self._store.call(lambda client: self._logins.tokens(client, user))
        self.sessions.end(user)
        if stored is not None:
            self._revoke(stored.tokens)
        logger.info("%s has logged out", user)

    def _revoke(self, tokens: Tokens) -> None:
        """In the background: nobody needs to wait for it."""
        for token in (tokens.refresh_token, tokens.access_token):
            if token is not None:
                host.spawn(host.offload, self._access.service.revoke, token)

    def _learn(self, tokens: Tokens) -> None:
        for token in (tokens.access_token, tokens.refresh_token):
            if token is not None:
                self._secrets.add(token)

    async def _who_is(self, token: str) -> Person:
        async with WebexTeamsAsyncAPI(
            token, base_url=self._api_base_url, total_timeout=ME_SECONDS - 1
        ) as api:
            return await api.people.me()


_SLOW = "Webex did not say in time who you are: try again in a moment"


class _StoreCache:
    """Keeps logins that have begun in Redis, where browsers cannot read them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> bytes | None:
        def get(client: Redis) -> Any:
            return client.get(login_key(key))

        found: bytes | None = self._store.call(get)
        return found

    def set(self, key: str, value: str, expires_in: int) -> None:
        self._store.call(lambda client: client.set(login_key(key), value, ex=expires_in))

    def delete(self, key: str) -> None:
        self._store.call(lambda client: client.delete(login_key(key)))
