"""What jobs get of their user's login: in the web nodes and on workers alike, without Flask."""

from __future__ import annotations

from collections.abc import Callable

from redis import Redis

from app.login.integration import Integration
from app.login.jobtoken import VaultToken
from app.login.logins import Logins
from app.login.tokens import TokenCipher
from app.login.tokenservice import TokenService
from app.login.vault import TokenVault
from app.webex.access import WebexAccess, access
from flask_realtime.currentrun import CurrentRun
from flask_realtime.masking import Secrets


class JobAccess:
    """Gives each run its user's Webex: called with a run, in its thread, before the job.

    `connect()` returns a blocking client of the Redis that keeps the logins; `api_base_url` ends
    with a slash; `seconds` is how long a login lasts; `secrets` learns each token, so that no log
    shows one.
    """

    def __init__(
        self,
        integration: Integration,
        connect: Callable[[], Redis],
        *,
        api_base_url: str,
        token_keys: tuple[str, ...],
        seconds: float,
        secrets: Secrets,
    ) -> None:
        self.integration = integration
        self.logins = Logins(TokenCipher(token_keys), integration.authorize_url, seconds=seconds)
        self.service = TokenService(integration)
        self._api_base_url = api_base_url
        self._vault = TokenVault(self.logins, connect, self.service.refresh, issued=secrets.add)
        for secret in (integration.client_secret, *token_keys):
            secrets.add(secret)

    def __call__(self, run: CurrentRun) -> None:
        access.set(WebexAccess(VaultToken(self._vault, run.user), self._api_base_url))
