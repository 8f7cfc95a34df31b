"""The OAuth side of the Webex login: Authlib's Flask client, made strict and kept off the hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import requests
from authlib.integrations.base_client import MismatchingStateError
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App, OAuth
from flask import Flask, request, session
from flask.wrappers import Response

from app.login.errors import TokenRefused, TokenServiceUnavailable
from app.login.integration import Integration
from app.login.tokenservice import SLOW, TIMEOUT, be_strict, short, unavailable
from flask_realtime import host

TOTAL_SECONDS = 20.0  # of a login's token request, in all: an answer may come drop by drop
STATE_SECONDS = 600  # in which a login must be completed
MAX_PENDING = 5  # logins of one browser at once: each takes room in its cookie


class Cache(Protocol):
    """Where a login that has begun waits for its answer: the browser cannot read it there."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: str, expires_in: int) -> None: ...

    def delete(self, key: str) -> None: ...


class _ShortLived(FlaskIntegration):  # type: ignore[misc]  # Authlib has no types
    expires_in = STATE_SECONDS


class _OAuth(OAuth):  # type: ignore[misc]
    framework_integration_cls = _ShortLived


class _OffTheHub(FlaskOAuth2App):  # type: ignore[misc]
    """Its request for tokens waits on a native thread; what needs Flask's context stays here."""

    def fetch_access_token(self, redirect_uri: str | None = None, **kwargs: Any) -> Any:
        with host.Timeout(TOTAL_SECONDS, TokenServiceUnavailable(SLOW)):
            return host.offload(
                super().fetch_access_token, redirect_uri, allow_redirects=False, **kwargs
            )


class WebexOAuth:
    """Begins logins and gets the tokens of those who come back, for greenlets in a request."""

    def __init__(self, app: Flask, integration: Integration, cache: Cache) -> None:
        registry = _OAuth(app, cache=cache)
        self._client = registry.register(
            "webex",
            client_cls=_OffTheHub,
            client_id=integration.client_id,
            client_secret=integration.client_secret,
            authorize_url=integration.authorize_url,
            access_token_url=integration.access_token_url,
            compliance_fix=be_strict,
            client_kwargs={
                "scope": integration.scope,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_post",
                "default_timeout": TIMEOUT,
            },
        )

    def begin(self, redirect_uri: str, next_path: str) -> Response:
        """Return the redirect to Webex; `next_path` is remembered until the user is back."""
        _drop_oldest_pending()
        begun = self._client.create_authorization_url(redirect_uri)
        self._client.save_authorize_data(redirect_uri=redirect_uri, next=next_path, **begun)
        url: str = begun["url"]
        if url.startswith("/"):  # the sandbox, behind the reverse proxy that we are behind
            url = request.script_root + url
        response = Response(status=302)
        response.headers["Location"] = url
        return response

    def pending(self, state: str) -> dict[str, Any] | None:
        """Return what was remembered of the login that this browser began with `state`."""
        data: dict[str, Any] | None = self._client.framework.get_state_data(session, state)
        return data

    def forget(self, state: str) -> None:
        """Let `state` be unknown from now on."""
        self._client.framework.clear_state_data(session, state)

    def finish(self) -> Mapping[str, Any]:
        """Turn the code of the current request into tokens; its state is used up.

        Raises TokenRefused and TokenServiceUnavailable.
        """
        try:
            answer: Mapping[str, Any] = self._client.authorize_access_token()
        except (MismatchingStateError, OAuthError) as error:
            raise TokenRefused(short(error.description or error.error), by_user=True) from error
        except TokenRefused as error:
            # Where the secret is wrong, Webex's own shape says so by its status alone.
            error.by_user = error.by_user and error.status != 401
            raise
        except requests.RequestException as error:
            raise unavailable(error) from error
        return answer


def _drop_oldest_pending() -> None:
    """Keep the cookie small: of logins that were begun and left, the newest stay."""
    begun = {key: value for key, value in session.items() if key.startswith("_state_webex_")}
    oldest_first = sorted(begun, key=lambda key: begun[key].get("exp", 0))
    for key in oldest_first[: max(0, len(begun) - MAX_PENDING + 1)]:
        session.pop(key)
