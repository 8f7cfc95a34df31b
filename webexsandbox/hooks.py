"""Calls webhooks, one after another, beside the requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from webexsandbox.cast import Person
from webexsandbox.exchange import CURRENT
from webexsandbox.room import Room
from webexsandbox.state import STATE, State
from webexsandbox.webhook import Webhook

WAITING = 1000  # calls; further ones count as failures of their webhook
CALL_SECONDS = 5.0

Call = tuple[Webhook, bytes]
QUEUE = web.AppKey("webhook_calls", asyncio.Queue[Call])


def announce(
    request: web.Request, resource: str, event: str, data: Mapping[str, Any], room: Room
) -> None:
    """Tell the webhooks of the room's members of a change; `data` is the resource as shown."""
    world = request.app[STATE].world
    actor = CURRENT.get().person
    assert isinstance(actor, Person)
    for hook in world.webhooks.values():
        if hook.owner.number in room.members and hook.wants(resource, event, data):
            body = hook.notice(world.ids, actor, resource, event, data)
            try:
                request.app[QUEUE].put_nowait((hook, body))
            except asyncio.QueueFull:
                hook.failures += 1


async def calling(app: web.Application) -> AsyncIterator[None]:
    """Make the calls for as long as the application is served."""
    queue = app[QUEUE] = asyncio.Queue(WAITING)
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        task = asyncio.create_task(_call(app[STATE], queue, session))
        yield
        task.cancel()
        await asyncio.wait([task])


async def _call(state: State, queue: asyncio.Queue[Call], session: aiohttp.ClientSession) -> None:
    while True:
        hook, body = await queue.get()
        if state.world.webhooks.get(hook.number) is not hook:
            continue  # deleted, or forgotten by a reset, while the call waited
        headers = {"Content-Type": "application/json"}
        if (signature := hook.signature(body)) is not None:
            headers["X-Spark-Signature"] = signature
        try:
            async with session.post(
                hook.target, data=body, headers=headers, allow_redirects=False
            ) as response:
                hook.failures = 0 if response.status < 300 else hook.failures + 1
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            hook.failures += 1  # shown by the API as `status`, as soon as there are too many
