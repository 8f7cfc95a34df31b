"""A login at the sandbox by OAuth, as a TokenSource without a store."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

from app.webex.errors import LoginExpired
from tests.support.webexsandbox import Sandbox

REDIRECT = "http://localhost:5000/redirect"
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


class Login:
    """Grants once, refreshes when a token is refused."""

    def __init__(self, sandbox: Sandbox, *, user: str = "ada", scope: str = "spark:all") -> None:
        self._url = f"{sandbox.api_url}access_token"
        asked = {
            "client_id": CLIENT["client_id"],
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": scope,
            "state": "s",
        }
        sent_to = sandbox.consent(f"{sandbox.api_url}authorize?{urlencode(asked)}", user=user)
        self._code = parse_qs(urlsplit(sent_to).query)["code"][0]
        self._refresh_token = ""
        self.renewals = 0

    async def access_token(self) -> str:
        return await self._ask(
            grant_type="authorization_code", code=self._code, redirect_uri=REDIRECT
        )

    async def renewed(self, refused: str) -> str:
        self.renewals += 1
        return await self._ask(grant_type="refresh_token", refresh_token=self._refresh_token)

    async def _ask(self, **fields: str) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url, data={**CLIENT, **fields}) as response,
        ):
            if response.status != 200:
                raise LoginExpired("the login was revoked", status=response.status)
            found = await response.json()
        self._refresh_token = found.get("refresh_token", self._refresh_token)
        token: str = found["access_token"]
        return token
