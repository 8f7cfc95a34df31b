"""Webex's token endpoint, asked strictly: it renews and revokes tokens. Needs no Flask."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from app.login.errors import TokenRefused, TokenServiceUnavailable
from app.login.integration import Integration

logger = logging.getLogger(__name__)

TIMEOUT = (5.0, 10.0)  # seconds to connect, and between two packets of the answer
MAX_SAID = 200  # characters of what the service says that a message repeats


class TokenService:
    """Its methods block: for native threads."""

    def __init__(self, integration: Integration) -> None:
        self._integration = integration

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
            raise TokenRefused(short(error.description or error.error), by_user=True) from error
        except requests.RequestException as error:
            raise unavailable(error) from error
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
        be_strict(client)
        return client


def be_strict(client: Any) -> None:
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
    return next((short(text) for text in texts if isinstance(text, str) and text), None)


def short(text: str) -> str:
    """A stranger's text on one line of bounded length."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * MAX_SAID])
    return " ".join(shown.split())[:MAX_SAID]


SLOW = "Webex's login service did not answer in time: try again in a moment"


def unavailable(error: requests.RequestException) -> TokenServiceUnavailable:
    # The error's own text may hold the request, and that holds secrets.
    logger.warning("Webex's login service failed: %s", type(error).__name__)
    if isinstance(error, requests.Timeout):
        return TokenServiceUnavailable(SLOW)
    return TokenServiceUnavailable(
        "Webex's login service cannot be reached or broke off: try again in a moment"
    )
