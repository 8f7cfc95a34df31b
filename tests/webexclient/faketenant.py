"""A Webex of a few rooms in memory, and jobs run against it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from app.webex.access import WebexAccess, access
from tests.webexclient.fakewebex import FakeWebex, Seen, json, refusal
from tests.webexclient.jobrun import Outcome, Stop, run_job

Override = Callable[[web.Request], Any]


class FakeTenant:
    """Rooms with messages; `override(request)` may answer instead, or return None."""

    def __init__(self, rooms: dict[str, int], override: Override | None = None) -> None:
        self.rooms = {f"r{n}": title for n, title in enumerate(rooms)}
        self.messages = {f"r{n}": count for n, count in enumerate(rooms.values())}
        self.types: dict[str, str] = {}
        self.members: dict[str, list[str]] = {}
        self.options: dict[str, Any] = {}
        self.stop = Stop()
        self.seen: list[Seen] = []
        self.override = override

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.override is not None:
            found = self.override(request)
            if asyncio.iscoroutine(found):
                found = await found
            if found is not None:
                assert isinstance(found, web.StreamResponse)
                return found
        parts = request.path.removeprefix("/v1/").split("/")
        body = msgspec.json.decode(await request.read() or b"{}")
        call = getattr(self, f"{request.method.lower()}_{parts[0]}")
        answer = call(request, body, *parts[1:])
        assert isinstance(answer, web.StreamResponse)
        return answer

    def get_people(self, request: web.Request, body: Any, id: str) -> web.Response:
        return json({"id": "p", "displayName": "Ada Example"})

    def get_rooms(self, request: web.Request, body: Any) -> web.Response:
        return json(
            {
                "items": [
                    {"id": id, "title": title, "type": self.types.get(id, "group")}
                    for id, title in self.rooms.items()
                ]
            }
        )

    def post_rooms(self, request: web.Request, body: Any) -> web.Response:
        id = f"r{len(self.rooms)}"
        self.rooms[id] = body["title"]
        self.members[id] = ["ada@sandbox.example"]
        return json({"id": id, "title": body["title"]})

    def delete_rooms(self, request: web.Request, body: Any, id: str) -> web.Response:
        if self.rooms.pop(id, None) is None:
            return refusal(404, "Could not find a room with provided ID.")
        return web.Response(status=204)

    def post_memberships(self, request: web.Request, body: Any) -> web.Response:
        if body["personEmail"] in self.members[body["roomId"]]:
            return refusal(409, "Person is already in the room.")
        self.members[body["roomId"]].append(body["personEmail"])
        return json({"id": "s"})

    def get_messages(self, request: web.Request, body: Any) -> web.Response:
        count = self.messages[request.query["roomId"]]
        size = int(request.query["max"])
        start = int(request.query.get("beforeMessage", "0"))
        items = [
            {
                "id": str(n + 1),
                "created": f"2026-01-01T00:{(count - n) // 60:02}:{(count - n) % 60:02}.000Z",
            }
            for n in range(start, min(count, start + size))
        ]
        if start + size >= count:
            return json({"items": items})
        link = request.url.update_query(beforeMessage=str(start + size))
        return json({"items": items}, Link=f'<{link}>; rel="next"')

    def run(self, job: Callable[..., Any], **params: Any) -> Outcome:
        """Run `job` against this tenant."""

        async def work(running: Callable[[], bool], **given: Any) -> None:
            async with FakeWebex(self.answer) as server:
                access.set(WebexAccess("token-1", server.url, self.options))
                await job(running, **given)
            self.seen = server.seen

        return run_job(work, self.stop, **params)
