"""``/v1/webhooks``: each person sees their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from webexsandbox import timeline
from webexsandbox.access import caller, sent_object, text_of
from webexsandbox.errors import ApiError
from webexsandbox.ids import LIMIT, NOT_FOUND
from webexsandbox.paging import keyed_page
from webexsandbox.state import STATE
from webexsandbox.webhook import EVENTS, RESOURCES, Webhook

READ = "spark:webhooks_read"
WRITE = "spark:webhooks_write"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/webhooks", _list),
        web.post("/v1/webhooks", _create),
        web.get("/v1/webhooks/{id}", _get),
        web.put("/v1/webhooks/{id}", _update),
        web.delete("/v1/webhooks/{id}", _delete),
    ]


async def _list(request: web.Request) -> web.Response:
    person = caller(request, READ)
    state = request.app[STATE]
    owned_by = request.query.get("ownedBy", "creator")
    if owned_by not in ("creator", "org"):
        raise ApiError(400, f"Invalid value for parameter 'ownedBy': {owned_by}")
    hooks = state.world.webhooks.values() if owned_by == "creator" else []
    return keyed_page(
        request,
        [hook for hook in hooks if hook.owner is person],
        lambda hook: (hook.number,),
        lambda hook: hook.show(state.world.ids),
        default=100,
        most=state.settings.max_clamp,
    )


async def _create(request: web.Request) -> web.Response:
    person = caller(request, WRITE)
    world, body = request.app[STATE].world, await sent_object(request)
    resource, event = _needed(body, "resource"), _needed(body, "event")
    if resource not in RESOURCES:
        raise ApiError(400, f"Invalid value for 'resource': {resource}")
    if event not in EVENTS:
        raise ApiError(400, f"Invalid value for 'event': {event}")
    if world.next_webhook == LIMIT:
        raise ApiError(403, "The sandbox holds no more webhooks.")
    hook = Webhook(
        world.next_webhook,
        person,
        _needed(body, "name"),
        _target(body),
        resource,
        event,
        text_of(body, "filter"),
        text_of(body, "secret"),
        timeline.now_ms(),
    )
    world.next_webhook += 1
    world.webhooks[hook.number] = hook
    return web.json_response(hook.show(world.ids))


async def _get(request: web.Request) -> web.Response:
    hook = _owned(request, READ)
    return web.json_response(hook.show(request.app[STATE].world.ids))


async def _update(request: web.Request) -> web.Response:
    hook, body = _owned(request, WRITE), await sent_object(request)
    name, target, secret = _needed(body, "name"), _target(body), text_of(body, "secret")
    hook.name, hook.target = name, target
    hook.secret = hook.secret if secret is None else secret
    hook.failures = 0
    return web.json_response(hook.show(request.app[STATE].world.ids))


async def _delete(request: web.Request) -> web.Response:
    hook = _owned(request, WRITE)
    del request.app[STATE].world.webhooks[hook.number]
    return web.Response(status=204)


def _owned(request: web.Request, scope: str) -> Webhook:
    person = caller(request, scope)
    world = request.app[STATE].world
    hook = world.webhooks.get(world.ids.read("WEBHOOK", request.match_info["id"])[0])
    if hook is None or hook.owner is not person:
        raise ApiError(404, NOT_FOUND["WEBHOOK"])
    return hook


def _needed(body: Mapping[str, Any], name: str) -> str:
    value = text_of(body, name)
    if not value:
        raise ApiError(400, f"'{name}' cannot be empty.")
    return value


def _target(body: Mapping[str, Any]) -> str:
    target = _needed(body, "targetUrl")
    try:
        parts = urlsplit(target)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ApiError(400, f"Invalid value for 'targetUrl': {target}")
    return target
