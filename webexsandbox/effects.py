"""The kinds of faults that any answer may suffer. Adding one: a class here, and a row in KINDS."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from aiohttp import web

from webexsandbox.errors import error_body
from webexsandbox.exchange import Exchange
from webexsandbox.faults import Count, Fault, Seconds
from webexsandbox.state import STATE

HTML = "<!doctype html><title>Error</title><h1>Invented gateway error</h1>"


class Status(Fault, tag="status"):
    """Answer with another status; without a `body`, with an error in Webex's shape."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: str | dict[str, Any] | None = None
    content_type: str | None = None

    def __post_init__(self) -> None:
        for text in (*self.headers, *self.headers.values(), self.content_type or ""):
            if not text.isprintable():
                raise ValueError(f"{text!r} cannot stand in a header")

    async def before(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        body, kind = self.body, "text/html"
        if body is None and self.content_type == "text/html":
            body = HTML
        if body is None:
            body = error_body(f"Invented fault {self.status}.", exchange.tracking_id)
        if isinstance(body, dict):
            body, kind = json.dumps(body), "application/json"
        return web.Response(
            status=self.status,
            body=body.encode(),
            headers={"Content-Type": self.content_type or kind, **self.headers},
        )


class Drop(Fault, tag="drop"):
    """Close the connection: before the answer, or in the middle of its body."""

    when: Literal["before", "body"] = "before"

    async def before(self, request: web.Request, exchange: Exchange) -> web.StreamResponse | None:
        if self.when == "body":
            return None
        _close(request)
        return web.Response()

    async def send(self, request: web.Request, response: web.Response) -> web.StreamResponse | None:
        if self.when == "before":
            return None
        body = _body(response)
        started = await _start(request, response, len(body))
        await started.write(body[: len(body) // 2])
        _close(request)
        return started


class Truncate(Fault, tag="truncate"):
    """Send the first half of the body as if it were all."""

    def change(self, request: web.Request, response: web.Response) -> web.Response:
        body = _body(response)
        response.body = body[: len(body) // 2]
        return response


class Delay(Fault, tag="delay"):
    """Answer later, headers included."""

    seconds: Seconds

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        await asyncio.sleep(self.seconds)


class Dribble(Fault, tag="dribble"):
    """Send the headers at once and the body in `pieces`, spread over `seconds`."""

    seconds: Seconds
    pieces: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10

    async def send(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        body = _body(response)
        started = await _start(request, response, len(body))
        pieces = self.pieces
        for n in range(pieces):
            await asyncio.sleep(self.seconds / pieces)
            await started.write(body[len(body) * n // pieces : len(body) * (n + 1) // pieces])
        return started


class Hang(Fault, tag="hang"):
    """Never answer. Ends with the connection."""

    async def before(self, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets this event")


class WithoutItems(Fault, tag="without_items"):
    """A list without its `items`."""

    def change(self, request: web.Request, response: web.Response) -> web.Response:
        if response.content_type == "application/json":
            fields = json.loads(_body(response))
            fields.pop("items", None)
            response.body = json.dumps(fields).encode()
        return response


class Link(Fault, tag="link"):
    """Spoil the next link: one of `next` and `drop`, which names the parameter to leave out.

    "foreign" leads to `origin`, "loop" to the same page, "max_null" has ``max=null``.
    """

    next: Literal["foreign", "loop", "max_null"] | None = None
    drop: str | None = None
    origin: str = "http://foreign.invalid"

    def __post_init__(self) -> None:
        if (self.next is None) == (self.drop is None):
            raise ValueError("link takes exactly one of `next` and `drop`")

    def change(self, request: web.Request, response: web.Response) -> web.Response:
        if self.next == "loop":
            response.headers["Link"] = f'<{_own_url(request)}>; rel="next"'
        if "Link" not in response.headers:
            return response
        url = urlsplit(response.headers["Link"][1:].partition(">")[0])
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if self.next == "max_null":
            query["max"] = "null"
        if self.drop is not None:
            query.pop(self.drop, None)
        if self.next == "foreign":
            origin = urlsplit(self.origin)
            url = url._replace(scheme=origin.scheme, netloc=origin.netloc)
        url = url._replace(query=urlencode(query))
        response.headers["Link"] = f'<{urlunsplit(url)}>; rel="next"'
        return response


class EmptyPage(Fault, tag="empty_page"):
    """A list without any item, whose next link leads to the page that was asked for."""

    def change(self, request: web.Request, response: web.Response) -> web.Response:
        response.body = b'{"items":[]}'
        response.headers["Link"] = f'<{_own_url(request)}>; rel="next"'
        return response


class VanishRoom(Fault, tag="vanish_room"):
    """The room that the request is about, or `room`, is deleted from now on."""

    room: str | None = None

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        world = request.app[STATE].world
        identifier = self.room or exchange.room
        if identifier and (found := world.room(world.ids.read("ROOM", identifier)[0])):
            world.keep(found).deleted = True


class VanishMessage(Fault, tag="vanish_message"):
    """The message of the request's `beforeMessage`, or `message`, is deleted from now on."""

    message: str | None = None

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        world = request.app[STATE].world
        identifier = self.message or request.query.get("beforeMessage")
        if identifier:
            room, index = world.ids.read("MESSAGE", identifier)
            if found := world.room(room):
                world.keep(found).remove(index)


class ExpireTokens(Fault, tag="expire_tokens"):
    """All access tokens that were issued are invalid from now on, that of the request included."""

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        request.app[STATE].grants.expire_access_tokens()


class ExpiresIn(Fault, tag="expires_in"):
    """The access token that the request issues is valid for `seconds`."""

    only: ClassVar[tuple[str | None, str] | None] = ("POST", "/v1/access_token")
    seconds: Count

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        exchange.expires_in = self.seconds


class RefreshToken(Fault, tag="refresh_token"):
    """What refreshing does with the refresh token: see Settings.refresh_mode."""

    only: ClassVar[tuple[str | None, str] | None] = ("POST", "/v1/access_token")
    mode: Literal["same", "rotate", "omit"]

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        exchange.refresh_mode = self.mode


class AuthorizeError(Fault, tag="authorize_error"):
    """Send the browser back with an error, from the consent page or instead of it."""

    only: ClassVar[tuple[str | None, str] | None] = (None, "/v1/authorize")
    error: Literal["access_denied", "invalid_scope", "server_error"]

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        exchange.authorize_error = self.error


class WrongState(Fault, tag="wrong_state"):
    """Send the browser back with another state than it came with."""

    only: ClassVar[tuple[str | None, str] | None] = ("POST", "/v1/authorize")

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        exchange.wrong_state = True


class FewerScopes(Fault, tag="fewer_scopes"):
    """Grant `scope` instead of what was asked for."""

    only: ClassVar[tuple[str | None, str] | None] = ("POST", "/v1/authorize")
    scope: str

    async def before(self, request: web.Request, exchange: Exchange) -> None:
        exchange.granted_scope = self.scope


Kind = (
    Status | Drop | Truncate | Delay | Dribble | Hang | WithoutItems | Link | EmptyPage
    | VanishRoom | VanishMessage | ExpireTokens | ExpiresIn | RefreshToken | AuthorizeError
    | WrongState | FewerScopes
)  # fmt: skip


def _own_url(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}{request.path_qs}"


def _body(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


async def _start(request: web.Request, response: web.Response, length: int) -> web.StreamResponse:
    started = web.StreamResponse(status=response.status, headers=response.headers)
    started.content_length = length
    await started.prepare(request)
    return started


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
