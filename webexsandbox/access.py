"""Who calls the API, whether they may, and what they sent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from webexsandbox.cast import Person
from webexsandbox.errors import ApiError
from webexsandbox.grants import ALL_SCOPES
from webexsandbox.state import STATE

UNAUTHORIZED = "The request requires a valid access token set in the Authorization request header."


def caller(request: web.Request, scope: str) -> Person:
    """Return who calls; they must have been granted `scope`. Raises ApiError 401 or 403."""
    # Asked again: the token may have expired since the request was logged, by a fault for one.
    found = request.app[STATE].grants.caller(bearer_token(request), time.time())
    if found is None:
        raise ApiError(401, UNAUTHORIZED)
    person, granted_scope = found
    granted = granted_scope.split()
    if scope not in granted and ALL_SCOPES not in granted:
        raise ApiError(403, f"The access token lacks the scope {scope}.")
    return person


def bearer_token(request: web.Request) -> str:
    """The token of the Authorization header; empty if there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def sent_object(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of the body. Raises ApiError 400 or 415."""
    if request.content_type != "application/json":
        raise ApiError(415, "Content type not supported: send application/json.")
    try:
        body = json.loads(await request.read())
        # Half of a surrogate pair can be written in JSON, but cannot be sent on.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError(400, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The request body must be a JSON object.")
    return body


def text_of(body: Mapping[str, Any], name: str) -> str | None:
    """The text of a field; None if it is missing or null. Raises ApiError 400."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(400, f"Invalid value for '{name}': expected a string.")
    return value


def flag_of(body: Mapping[str, Any], name: str, default: bool) -> bool:
    """The truth of a field; `default` if it is missing. Raises ApiError 400."""
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise ApiError(400, f"Invalid value for '{name}': expected a boolean.")
    return value


def required(request: web.Request, name: str) -> str:
    """A parameter of the query that must be there. Raises ApiError 400."""
    value = request.query.get(name)
    if not value:
        raise ApiError(400, f"Required String parameter '{name}' is not present")
    return value
