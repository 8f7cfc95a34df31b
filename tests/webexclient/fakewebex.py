"""A server of a few lines that answers as a test says, on the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from app.webexteamsasyncapi import WebexTeamsAsyncAPI

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    token: str
    body: bytes
    time: float


class FakeWebex:
    """Answers each request by `handler(request)`, and remembers what was asked."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.seen: list[Seen] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def __aenter__(self) -> FakeWebex:
        server = web.Server(self._answer)  # type: ignore[arg-type]
        # A test may leave a request hanging: do not wait for it at the end.
        self.runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        host, port = self.runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.runner.cleanup()

    @property
    def url(self) -> str:
        return f"{self.origin}/v1/"

    def client(self, token: Any = "token-1", **options: Any) -> WebexTeamsAsyncAPI:
        return WebexTeamsAsyncAPI(token, **{"base_url": self.url, **options})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            self.seen.append(
                Seen(
                    request.method,
                    request.path.removeprefix("/v1/"),
                    dict(request.query),
                    request.headers.get("Authorization", "").removeprefix("Bearer "),
                    await request.read(),
                    asyncio.get_running_loop().time(),
                )
            )
            return await self._handler(request)
        finally:
            self.in_flight -= 1


def script(*answers: web.StreamResponse | Exception | Handler) -> Handler:
    """A handler that gives the answers in order, and the last one for ever after.

    ConnectionError drops the connection without an answer.
    """
    rest = list(answers)

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(answer, ConnectionError):
            return drop(request)
        if isinstance(answer, web.Response):  # a response object can be sent once
            return web.Response(
                status=answer.status, body=answer.body, headers=answer.headers.copy()
            )
        assert callable(answer)
        return await answer(request)

    return handler


def drop(request: web.Request) -> web.StreamResponse:
    """Close the connection now."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def json(value: object, status: int = 200, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return web.json_response(value, status=status, headers=named)


def refusal(status: int, message: str = "No.", **headers: str) -> web.Response:
    """An error in Webex's own shape."""
    return json(
        {"message": message, "errors": [{"description": message}], "trackingId": "ROUTER_1-2"},
        status,
        **headers,
    )


def run(work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
    """Run a test's coroutine; one that hangs fails."""
    return asyncio.run(asyncio.wait_for(work, seconds))
