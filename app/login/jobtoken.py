"""The access token that a job's Webex client uses: its user's, from the vault, masked in output."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable

from app.login.errors import TokenServiceUnavailable
from app.login.vault import LoginOver, TokenVault
from app.webex.errors import LoginExpired, ServerFault
from flask_realtime import mask


class VaultToken:
    """A token source (app/webex/token.py) for one user. For the event loop of a job."""

    def __init__(self, vault: TokenVault, user: str) -> None:
        self._vault = vault
        self._user = user

    async def access_token(self) -> str:
        """The token to use now. Raises LoginExpired, and ServerFault when it cannot be had now."""
        return await self._get(lambda: self._vault.access_token(self._user))

    async def renewed(self, refused: str) -> str:
        """Another token, since Webex answered 401 to `refused`. Raises the same."""
        return await self._get(lambda: self._vault.renewed(self._user, refused))

    async def _get(self, ask: Callable[[], str]) -> str:
        try:
            token = await _on_a_thread(ask)
        except LoginOver as error:
            raise LoginExpired(str(error)) from error
        except TokenServiceUnavailable as error:
            raise ServerFault(str(error)) from error
        mask(token)
        return token


async def _on_a_thread(function: Callable[[], str]) -> str:
    """Call `function` on a thread that nobody has to wait for.

    A job that is stopped leaves it alone: the loop's own pool would be waited for at the end.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def deliver(token: str | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(token or "")

    def call() -> None:
        token, failure = None, None
        try:
            token = function()
        except Exception as error:  # noqa: BLE001  # raised again where it is awaited
            failure = error
        try:
            loop.call_soon_threadsafe(deliver, token, failure)
        except RuntimeError:
            if not loop.is_closed():
                raise

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(call,), daemon=True, name="webex token").start()
    return await answer
