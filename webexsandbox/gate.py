"""What happens to every request: it is logged, delayed, hit by faults, and answered."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from webexsandbox.access import bearer_token, sent_object, text_of
from webexsandbox.errors import ApiError, error_body
from webexsandbox.exchange import CURRENT, Exchange
from webexsandbox.faults import Fault
from webexsandbox.ids import Ids
from webexsandbox.oauth import TOKEN_PATH, token_caller
from webexsandbox.state import STATE, State

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Entry = dict[str, Any]  # of the log

SECRET = frozenset(("access_token", "refresh_token", "client_secret", "code", "token"))
_TRACKING_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_IN_PATH = re.compile(r"/v1/(rooms|messages)/([^/]+)")


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The application's only middleware."""
    sent = request.headers.get("TrackingID", "")
    known = _TRACKING_ID.fullmatch(sent)
    exchange = Exchange(sent if known else f"ROUTER_{str(uuid.uuid4()).upper()}")
    CURRENT.set(exchange)
    if not request.path.startswith(("/v1/", "/idb/")):
        return await _answer(request, handler, exchange)
    recorder = request.app[STATE].recorder
    began = time.monotonic()
    entry: Entry = {
        "method": request.method,
        "path": request.path,
        "query": {n: "***" if n in SECRET else v for n, v in request.query.items()},
        "status": None,  # none yet, or dropped without one
        "room": None,
        "user": None,
        "started": time.time(),
        "seconds": None,
    }
    recorder.begin(entry)
    try:
        response = await _answer(
            request, functools.partial(_handle, handler, exchange, entry), exchange
        )
        if response.prepared or not _is_closed(request):
            entry["status"] = response.status
        return response
    finally:
        recorder.in_flight -= 1
        entry["user"] = exchange.user
        entry["seconds"] = round(time.monotonic() - began, 6)


async def _handle(
    handler: Handler, exchange: Exchange, entry: Entry, request: web.Request
) -> web.StreamResponse:
    """Answer a request of the API, with the faults that hit it."""
    state = request.app[STATE]
    if request.path == TOKEN_PATH:
        state.recorder.token_calls += 1
    await _identify(request, state, exchange)
    entry["room"], entry["user"] = exchange.room, exchange.user
    if state.settings.latency:
        await asyncio.sleep(state.settings.latency)
    hits: list[Fault] = [each.fault for each in state.faults if each.strikes(request, exchange)]
    for fault in hits:
        if (instead := await fault.before(request, exchange)) is not None:
            return instead
    response = await _answer(request, handler, exchange)
    if isinstance(response, web.Response):
        for fault in hits:
            response = fault.change(request, response)
        for fault in hits:
            if (sent := await fault.send(request, response)) is not None:
                return sent
    return response


async def _answer(request: web.Request, handler: Handler, exchange: Exchange) -> web.StreamResponse:
    try:
        response = await handler(request)
    except ApiError as error:
        response = _error(error.status, error.message, exchange)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _error(error.status, error.reason, exchange)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    response.headers.setdefault("TrackingID", exchange.tracking_id)
    return response


def _is_closed(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _error(status: int, message: str, exchange: Exchange) -> web.Response:
    response = web.json_response(error_body(message, exchange.tracking_id), status=status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def _identify(request: web.Request, state: State, exchange: Exchange) -> None:
    """Find out who asks and about which room, for the log and for faults."""
    if token := bearer_token(request):
        caller = state.grants.caller(token, time.time())
        exchange.person = caller[0] if caller else None
    elif request.method == "POST":
        exchange.person = await token_caller(request, state)
    exchange.room = request.query.get("roomId") or _room_in_path(request.path, state.world.ids)
    if request.content_type == "application/json" and request.can_read_body:
        # What is wrong with a body is for the resource to say.
        with contextlib.suppress(ApiError):
            exchange.room = text_of(await sent_object(request), "roomId") or exchange.room


def _room_in_path(path: str, ids: Ids) -> str | None:
    found = _IN_PATH.match(path)
    if not found:
        return None
    if found[1] == "rooms":
        return found[2]
    try:
        return ids.of("ROOM", ids.read("MESSAGE", found[2])[0])
    except ApiError:
        return None
