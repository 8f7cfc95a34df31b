"""What Webex knows the application by, and where Webex is."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.settings import Settings
from flask_realtime.errors import ConfigurationError


@dataclass(frozen=True)
class Integration:
    """A client of Webex's login service. Both addresses of tokens are called by the server, the
    first one by browsers."""

    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    authorize_url: str
    access_token_url: str
    revoke_url: str


def integration_of(settings: Settings, sandbox: str | None) -> Integration:
    """That of the settings, or that of the sandbox at the address `sandbox`, if there is one.

    Raises ConfigurationError when there is neither.
    """
    if sandbox is not None:
        return sandbox_integration(sandbox, settings.scope, settings.sandbox_path)
    if not settings.client_id:
        raise ConfigurationError("CLIENT_ID: is missing, and there is no Webex sandbox either")
    return Integration(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scope=settings.scope,
        authorize_url=settings.webex_authorize_url,
        access_token_url=settings.webex_access_token_url,
        revoke_url=settings.webex_revoke_url,
    )


def sandbox_integration(address: str, scope: str, path: str = "") -> Integration:
    """What to log in with at the sandbox at `address`; browsers reach it by `path`, if given."""
    return Integration(
        client_id="sandbox-client",
        client_secret="sandbox-secret",
        scope=scope,
        authorize_url=f"{path or address}/v1/authorize",
        access_token_url=f"{address}/v1/access_token",
        revoke_url=f"{address}/idb/oauth2/v1/revoke",
    )


def api_base_url(settings: Settings, sandbox: str | None) -> str:
    """Where the Webex API is, with a slash at the end."""
    return f"{sandbox}/v1/" if sandbox else settings.webex_api_base_url
