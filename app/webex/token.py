"""The access token of a client: where it comes from, and how one renewal serves all callers."""

from __future__ import annotations

import asyncio
from typing import Protocol

from app.webex.errors import LoginExpired


class TokenSource(Protocol):
    """Gives access tokens; both methods run on the client's event loop and must not block it.

    They raise LoginExpired when the login is over, with a sentence for the user.
    """

    async def access_token(self) -> str:
        """The token to use now."""
        ...

    async def renewed(self, refused: str) -> str:
        """Another token, since Webex answered 401 to `refused`."""
        ...


class FixedToken:
    """A token that cannot be renewed, such as a bot's or one from a developer's page."""

    def __init__(self, token: str) -> None:
        # A line end would end the header; the text itself must not get into the message.
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("The access token is empty or holds characters that no token has.")
        self._token = token

    async def access_token(self) -> str:
        return self._token

    async def renewed(self, refused: str) -> str:
        raise LoginExpired("the access token was refused, and it cannot be renewed", status=401)


class CurrentToken:
    """What a client sends: asked for once, renewed once however many calls were refused."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source
        self._token: str | None = None
        self._pending: asyncio.Task[str] | None = None
        self._over: LoginExpired | None = None

    @property
    def now(self) -> str | None:
        """The token to send; None if `get` has to be asked."""
        return self._token if self._pending is None else None

    async def get(self) -> str:
        """The token to send. Waits while it is being renewed. Raises LoginExpired."""
        return self.now or await self._wait(None)

    async def renew(self, refused: str) -> str:
        """A token other than `refused`. Raises LoginExpired, also to all who come later."""
        if self.now not in (None, refused):
            return await self.get()  # renewed while this caller's request was under way
        return await self._wait(refused)

    async def close(self) -> None:
        """Give up a renewal that nobody waits for any more."""
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.gather(self._pending, return_exceptions=True)

    async def _wait(self, refused: str | None) -> str:
        if self._over is not None:
            # A new one each time: an exception that many tasks raise gathers all their tracebacks.
            raise LoginExpired(self._over.message, status=self._over.status)
        if self._pending is None:
            self._pending = asyncio.create_task(self._fetch(refused))
        # Shielded: a caller that is cancelled must not take the renewal from the others.
        return await asyncio.shield(self._pending)

    async def _fetch(self, refused: str | None) -> str:
        try:
            if refused is None:
                token = await self._source.access_token()
            else:
                token = await self._source.renewed(refused)
                if token == refused:
                    raise LoginExpired("Webex refused the access token and its renewal", status=401)
            self._token = token
            return token
        except LoginExpired as error:
            self._over = error
            raise
        finally:
            self._pending = None
