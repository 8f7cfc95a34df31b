"""WebexTeamsAsyncAPI: a small asyncio client of the Webex API.

    async with WebexTeamsAsyncAPI(token) as api:
        async for room in api.rooms.list(max=1000):
            print(room.title)

What is called when stands in other files: the resources in webex/resources.py, what comes back in
webextypes.py, when a call is repeated in webex/retry.py, how pages follow each other in
webexpages.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast, overload

import aiohttp
import msgspec
from yarl import URL

from app.webex.errors import (
    BadAnswer,
    LoginExpired,
    NotFound,
    Unreachable,
    Untrusted,
    WebexError,
    error_of,
    one_line,
)
from app.webex.resources import Memberships, Messages, People, Rooms, Teams, Webhooks, query
from app.webex.retry import Retries, parse_date, parse_retry_after
from app.webex.token import CurrentToken, FixedToken, TokenSource
from app.webex.types import Membership, Message, Page, Person, Room, Team, Webhook

__all__ = ["TokenSource", "WebexTeamsAsyncAPI"]

T = TypeVar("T")

BASE_URL = "https://webexapis.com/v1/"
READ_BUFFER = 1 << 18  # bytes; a page of 1,000 messages has a few of these
MAX_BODY = 1 << 26  # bytes; the largest page, 1,000 messages of 7,439 bytes and HTML, is a third


class WebexTeamsAsyncAPI:
    """The Webex API for one user. Use it on one event loop, and close it: ``async with``.

    `token` is the access token, or a TokenSource that can renew it: one renewal serves all calls
    that were refused. At most `concurrency` requests are under way at a time; a call that waits to
    be repeated is not one of them. Seconds: `connect_timeout` for a connection, `read_timeout`
    without any byte of an answer, `total_timeout` for a call (of lists: each page) from its first
    request on, with all waiting and repeating.

    All calls raise WebexError. ValueError stands for a call that makes no sense.
    """

    def __init__(
        self,
        token: str | TokenSource,
        *,
        base_url: str = BASE_URL,
        concurrency: int = 50,
        connect_timeout: float = 10,
        read_timeout: float = 30,
        total_timeout: float = 300,
    ) -> None:
        self._token = CurrentToken(FixedToken(token) if isinstance(token, str) else token)
        self._base = URL(base_url.rstrip("/") + "/")
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise ValueError(f"base_url must be an http or https address, not {base_url!r}")
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout = aiohttp.ClientTimeout(sock_connect=connect_timeout, sock_read=read_timeout)
        self._total = total_timeout
        self._session: aiohttp.ClientSession | None = None
        self.people = People(self, Person)
        self.rooms = Rooms(self, Room)
        self.messages = Messages(self, Message)
        self.memberships = Memberships(self, Membership)
        self.teams = Teams(self, Team)
        self.webhooks = Webhooks(self, Webhook)

    async def __aenter__(self) -> WebexTeamsAsyncAPI:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=READ_BUFFER,
            timeout=self._timeout,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; calls that are under way fail."""
        session, self._session = self._session, None
        await self._token.close()
        if session is not None:
            await session.close()

    def url(self, path: str) -> URL:
        """The address of a path below the base URL."""
        return URL(str(self._base) + path, encoded=True)

    @overload
    async def request(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        params: Mapping[str, object] | None = None,
        body: object = None,
    ) -> T: ...
    @overload
    async def request(
        self,
        method: str,
        path: str,
        kind: None,
        *,
        params: Mapping[str, object] | None = None,
        body: object = None,
    ) -> None: ...
    async def request(
        self,
        method: str,
        path: str,
        kind: type[T] | None,
        *,
        params: Mapping[str, object] | None = None,
        body: object = None,
    ) -> T | None:
        """Make one call of any kind; `kind` is the type of the answer, None if there is none."""
        url = self.url(path)
        if params:
            url = url.with_query(query(dict(params)))
        data = None if body is None else msgspec.json.encode(body)
        decode: Callable[[bytes], Any] = _nothing if kind is None else _decoder(cast(Any, kind))
        answer, _ = await self._call(method, url, decode, data)
        found: T | None = answer
        return found

    async def page(self, url: URL, kind: type[T]) -> tuple[list[T], list[str]]:
        """One page of a list, and the Link headers that came with it."""
        page, headers = await self._call("GET", url, _page_decoder(cast(Any, kind)), None)
        return page.items, headers.getall("Link", [])

    async def _call(
        self, method: str, url: URL, decode: Callable[[bytes], T], data: bytes | None
    ) -> tuple[T, Any]:
        """Make requests until one succeeds or the rules say that none will."""
        now = asyncio.get_running_loop().time
        retries = Retries(method)
        deadline = 0.0
        refused = False  # whether the last answer was a 401
        while True:
            token = ""
            try:
                async with self._slots:
                    deadline = deadline or now() + self._total
                    token = self._token.now or await _within(deadline - now(), self._token.get())
                    return await self._attempt(method, url, decode, data, token, deadline - now())
            except LoginExpired as error:
                if refused or not token:
                    raise
                refused = True
                try:
                    await _within(deadline - now(), self._token.renew(token))
                except LoginExpired as final:
                    final.tracking_id = error.tracking_id
                    raise final from None
                continue
            except NotFound:
                if method == "DELETE" and retries.unclear:
                    return decode(b""), None  # an attempt whose answer was lost did it
                raise
            except WebexError as error:
                wait = retries.wait(error, deadline - now())
                if wait is None:
                    raise
            refused = False
            await asyncio.sleep(wait)

    async def _attempt(
        self,
        method: str,
        url: URL,
        decode: Callable[[bytes], T],
        data: bytes | None,
        token: str,
        seconds: float,
    ) -> tuple[T, Any]:
        """Make one request. Whatever goes wrong with it is raised as a WebexError."""
        if self._session is None:
            raise RuntimeError("the client is not open: use it as `async with ... as api`")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        timeout = aiohttp.ClientTimeout(
            total=max(seconds, 0.001),
            sock_connect=self._timeout.sock_connect,
            sock_read=self._timeout.sock_read,
        )
        status: int | None = None
        tracking_id = None
        try:
            async with self._session.request(
                method, url, headers=headers, data=data, timeout=timeout, allow_redirects=False
            ) as response:
                status = response.status
                tracking_id = response.headers.get("TrackingID")
                body = await _read(response)
                if 200 <= status < 300:
                    return decode(body), response.headers
                sent_at = parse_date(response.headers.get("Date"))
                raise error_of(
                    status,
                    body,
                    tracking_id=tracking_id,
                    retry_after=parse_retry_after(
                        response.headers.get("Retry-After"),
                        now=time.time() if sent_at is None else sent_at,
                    ),
                    secret=token,
                )
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadAnswer(
                f"not the JSON that was expected: {one_line(str(error))}",
                status=status,
                tracking_id=tracking_id and one_line(tracking_id),
            ) from None
        except asyncio.TimeoutError as error:
            raise _unreachable(url, "no answer in time", error) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise Untrusted(f"{url.host} did not prove who it is: {one_line(str(error))}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _unreachable(url, one_line(str(error)), error) from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    blocks: list[bytes] = []
    size = 0
    async for block in response.content.iter_any():
        size += len(block)
        if size > MAX_BODY:
            response.close()
            raise BadAnswer(f"more than {MAX_BODY:,} bytes", status=response.status)
        blocks.append(block)
    return b"".join(blocks)


def _unreachable(url: URL, reason: str, error: BaseException) -> Unreachable:
    # Nothing was sent when there was no connection.
    unsent = isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
    return Unreachable(f"{url.host}: {reason or type(error).__name__}", unsent=unsent)


async def _within(seconds: float, waiting: Any) -> str:
    """The token, or Unreachable when the call's time is over."""
    try:
        token: str = await asyncio.wait_for(waiting, max(seconds, 0.001))
        return token
    except asyncio.TimeoutError:
        raise Unreachable("the login service did not answer in time", unsent=True) from None


def _nothing(body: bytes) -> None:
    """Of an answer without content, or whose content does not matter."""


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


@lru_cache(maxsize=64)
def _page_decoder(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(Page[kind]).decode
