"""The OAuth side of the Webex login: Authlib's Flask client, made strict and kept off the hub."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import requests
from authlib.integrations.base_client import MismatchingStateError
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, request, session
from flask.wrappers import Response

from app.login.errors import TokenRefused, TokenServiceUnavailable
from flask_realtime import host

logger = logging.getLogger(__name__)

TIMEOUT = (5.0, 10.0)  # seconds to connect, and between two packets of the answer
TOTAL_SECONDS = 20.0  # of a login's token request, in all: an answer may come drop by drop
STATE_SECONDS = 600  # in which a login must be completed
MAX_PENDING = 5  # logins of one browser at once: each takes room in its cookie
MAX_SAID = 200  # characters of what the service says that a message repeats


class Cache(Protocol):
    """Where a login that has begun waits for its answer: the browser cannot read it there."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: str, expires_in: int) -> None: ...

    def delete(self, key: str) -> None: ...


@dataclass(frozen=True)
class Integration:
    """What Webex knows the application by, and where Webex is."""

    client_id: str
    client_secret: str = field(repr=False)
    scope: str
    authorize_url: str
    access_token_url: str
    revoke_url: str


class _ShortLived(FlaskIntegration):  # type: ignore[misc]  # Authlib has no types
    expires_in = STATE_SECONDS


class _OAuth(OAuth):  # type: ignore[misc]
    framework_integration_cls = _ShortLived


class _OffTheHub(FlaskOAuth2App):  # type: ignore[misc]
    """Its request for tokens waits on a native thread; what needs Flask's context stays here."""

    def fetch_access_token(self, redirect_uri: str | None = None, **kwargs: Any) -> Any:
        with host.Timeout(TOTAL_SECONDS, TokenServiceUnavailable(_SLOW)):
            return host.offload(
                super().fetch_access_token, redirect_uri, allow_redirects=False, **kwargs
            )


class WebexOAuth:
    """Begins logins and gets, renews and revokes tokens.

    `begin` and `finish` are for greenlets in a request's context; `refresh` and `revoke` block,
    and are for native threads.
    """

    def __init__(self, app: Flask, integration: Integration, cache: Cache) -> None:
        self._integration = integration
        registry = _OAuth(app, cache=cache)
        self._client = registry.register(
            "webex",
            client_cls=_OffTheHub,
            client_id=integration.client_id,
            client_secret=integration.client_secret,
            authorize_url=integration.authorize_url,
            access_token_url=integration.access_token_url,
            compliance_fix=_be_strict,
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
            raise TokenRefused(_short(error.description or error.error), by_user=True) from error
        except TokenRefused as error:
            # Where the secret is wrong, Webex's own shape says so by its status alone.
            error.by_user = error.by_user and error.status != 401
            raise
        except requests.RequestException as error:
            raise _unavailable(error) from error
        return answer

    def refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """Ask for new tokens. Raises TokenRefused and TokenServiceUnavailable."""
        try:
            with self._session() as client:
                answer: Mapping[str, Any] = client.refresh_token(
                    self._integration.access_token_url,
                    refresh_token=refresh_token,
                    allow_redirects=False,
                )
        except OAuthError as error:
            raise TokenRefused(_short(error.description or error.error), by_user=True) from error
        except requests.RequestException as error:
            raise _unavailable(error) from error
        return answer

    def revoke(self, token: str) -> bool:
        """Tell Webex that `token` is not to be used any more; False, and a line in the log, if
        that did not work."""
        try:
            with self._session(revocation_endpoint_auth_method="client_secret_basic") as client:
                response = client.revoke_token(
                    self._integration.revoke_url, token=token, allow_redirects=False
                )
                response.raise_for_status()
        except requests.RequestException as error:
            logger.warning("Webex did not revoke a token: %s", type(error).__name__)
            return False
        return True

    def _session(self, **options: Any) -> Any:
        client = OAuth2Session(
            self._integration.client_id,
            self._integration.client_secret,
            token_endpoint_auth_method="client_secret_post",
            default_timeout=TIMEOUT,
            **options,
        )
        _be_strict(client)
        return client


def _drop_oldest_pending() -> None:
    """Keep the cookie small: of logins that were begun and left, the newest stay."""
    begun = {key: value for key, value in session.items() if key.startswith("_state_webex_")}
    oldest_first = sorted(begun, key=lambda key: begun[key].get("exp", 0))
    for key in oldest_first[: max(0, len(begun) - MAX_PENDING + 1)]:
        session.pop(key)


def _be_strict(client: Any) -> None:
    """Accept nothing as tokens that is none: Authlib takes any JSON without an `error` for one.

    Webex's own errors have a `message` instead.
    """
    client.register_compliance_hook("access_token_response", _checked)
    client.register_compliance_hook("refresh_token_response", _checked)


def _checked(response: requests.Response) -> requests.Response:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    status = response.status_code
    if status == 200 and isinstance(body, dict) and _is_token(body.get("access_token")):
        return response
    said = _said(body)
    if status in (400, 401, 403) and said is not None:
        raise TokenRefused(said, by_user=not _blames_client(body), status=status)
    raise TokenServiceUnavailable(f"Webex's login service answered {status}: try again in a moment")


def _is_token(value: object) -> bool:
    """What can stand in a header."""
    return (
        isinstance(value, str) and value.isascii() and value.isprintable() and value.strip() != ""
    )


def _blames_client(body: Any) -> bool:
    return body.get("error") in ("invalid_client", "unauthorized_client")


def _said(body: object) -> str | None:
    """What an error says, in OAuth's shape or in Webex's."""
    if not isinstance(body, dict):
        return None
    texts = (body.get("error_description"), body.get("message"), body.get("error"))
    return next((_short(text) for text in texts if isinstance(text, str) and text), None)


def _short(text: str) -> str:
    """A stranger's text on one line of bounded length."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * MAX_SAID])
    return " ".join(shown.split())[:MAX_SAID]


_SLOW = "Webex's login service did not answer in time: try again in a moment"


def _unavailable(error: requests.RequestException) -> TokenServiceUnavailable:
    # The error's own text may hold the request, and that holds secrets.
    logger.warning("Webex's login service failed: %s", type(error).__name__)
    if isinstance(error, requests.Timeout):
        return TokenServiceUnavailable(_SLOW)
    return TokenServiceUnavailable(
        "Webex's login service cannot be reached or broke off: try again in a moment"
    )
