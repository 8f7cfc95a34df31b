"""A client of the sandbox's OAuth endpoints, for tests: it can get everything wrong."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.support.webexsandbox import Sandbox

REDIRECT = "http://localhost:5000/redirect"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
CLIENT = ("sandbox-client", "sandbox-secret")


def authorize_url(sandbox: Sandbox, **changes: str | None) -> str:
    fields: dict[str, str | None] = {
        "client_id": CLIENT[0],
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "spark:people_read spark:rooms_read",
        "state": "the state & more",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    return f"{sandbox.api_url}authorize?{urlencode(present)}"


def sent_back(location: str) -> dict[str, str]:
    """What the browser brings back."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def code(sandbox: Sandbox, **changes: str | None) -> str:
    return sent_back(sandbox.consent(authorize_url(sandbox, **changes)))["code"]


def token_call(sandbox: Sandbox, **fields: str | None) -> requests.Response:
    form = {"client_id": CLIENT[0], "client_secret": CLIENT[1], **fields}
    data = {name: value for name, value in form.items() if value is not None}
    return requests.post(f"{sandbox.api_url}access_token", data=data, timeout=60)


def redeem(sandbox: Sandbox, **changes: str | None) -> requests.Response:
    fields: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **changes,
    }
    if "code" not in fields:
        fields["code"] = code(sandbox)
    return token_call(sandbox, **fields)


def refresh(sandbox: Sandbox, token: str) -> requests.Response:
    return token_call(sandbox, grant_type="refresh_token", refresh_token=token)


def log_in(sandbox: Sandbox) -> dict[str, Any]:
    answer = redeem(sandbox)
    assert answer.status_code == 200, answer.text
    token: dict[str, Any] = answer.json()
    return token


def revoke(sandbox: Sandbox, token: str, auth: tuple[str, str] = CLIENT) -> requests.Response:
    data = {"token": token, "token_type_hint": "refresh_token"}
    url = f"{sandbox.url}/idb/oauth2/v1/revoke"
    return requests.post(url, data=data, auth=auth, timeout=60)
