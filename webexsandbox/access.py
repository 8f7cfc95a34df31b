"""Who calls the API, whether they may, and what they sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from webexsandbox.cast import Person
from webexsandbox.errors import ApiError
from webexsandbox.exchange import exchange_of
from webexsandbox.grants import ALL_SCOPES

UNAUTHORIZED = "The request requires a valid access token set in the Authorization request header."


def caller(request: web.Request, scope: str) -> Person:
    """Return who calls; they must have been granted `scope`. Raises ApiError 401 or 403."""
    exchange = exchange_of(request)
    if exchange.person is None:
        raise ApiError(401, UNAUTHORIZED)
    granted = exchange.scope.split()
    if scope not in granted and ALL_SCOPES not in granted:
        raise ApiError(403, f"The access token lacks the scope {scope}.")
    return exchange.person


async def sent_object(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of the body. Raises ApiError 400 or 415."""
    if request.content_type != "application/json":
        raise ApiError(415, "Content type not supported: send application/json.")
    try:
        body = json.loads(await request.read())
    except ValueError:
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
