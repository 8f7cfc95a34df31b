"""Visitors and upstreams that play tricks: each is answered, and the server lives on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.proxy.support import Site
from tests.proxy.upstreams import Echo, Handler, Upstream, scripted
from tests.support.patience import eventually


class Shared:
    """Two sites with the same upstream, for many tests; the one of `sites[True]` has Server."""

    def __init__(self) -> None:
        self.part: Handler = Echo()  # what the upstream plays; each test has its own
        self.sites: dict[bool, Site] = {}

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.part(reader, writer)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Shared, Upstream]]:
    shared = Shared()
    with Upstream(shared.play) as upstream, Site() as plain, Site() as served:
        mount = {"prefix": "/app", "upstream": upstream.url, "strip_prefix": True}
        shared.sites = {False: plain.parent(mount), True: served.parent(mount, server=True)}
        yield shared, upstream


@pytest.fixture
def shared(running: tuple[Shared, Upstream]) -> Iterator[Shared]:
    shared, upstream = running
    yield shared
    upstream.cut()  # the next test has another part


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def app(shared: Shared, echo: Echo) -> Iterator[Site]:
    shared.part = echo
    yield shared.sites[True]
    assert shared.sites[True].get("/app/alive").status_code == 200


def get(app: Site, target: str, *lines: str) -> bytes:
    head = [f"GET {target} HTTP/1.1", f"Host: localhost:{app.port}", "Connection: close", *lines]
    return app.send("\r\n".join([*head, "", ""]).encode("latin-1"))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "target",
    [
        "/app/../login",
        "/app/%2e%2e/login",
        "/app/..%2f..%2fetc/passwd",
        "/app/..%5c..%5cx",
        "/app/\\x",
        "/app/..;/x",
        "/app/a%0d%0aX-Evil:%201",
        "/app/%00",
    ],
)
def test_path_tricks(app: Site, echo: Echo, target: str) -> None:
    assert status(get(app, target)) == 400
    assert not echo.requests


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/app/x", "http://localhost/app/x", "app/x", "*"]
)
def test_targets_that_are_no_path(app: Site, echo: Echo, target: str) -> None:
    assert status(get(app, target)) in (400, 404)
    assert not echo.requests


def test_other_methods_than_these(app: Site, echo: Echo) -> None:
    answer = app.send(b"CONNECT /app/x HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % app.port)
    assert status(answer) in (400, 404, 405, 501)
    assert not echo.requests


@pytest.mark.parametrize(
    "lines",
    [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Content-Length: 5_0",
    ],
)
def test_a_smuggled_request_is_not_seen(app: Site, echo: Echo, lines: str) -> None:
    hidden = "GET /app/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    head = f"POST /app/x HTTP/1.1\r\nHost: localhost:{app.port}\r\n{lines}\r\n\r\n"
    answer = app.send((head + "0\r\n\r\n" + hidden).encode())
    assert status(answer) in (400, 501)
    assert answer.count(b"HTTP/1.") == 1
    assert not echo.requests


@pytest.mark.parametrize(
    "chunk", ["x\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n", "3\r\nhello\r\n"]
)
def test_a_malformed_chunk(app: Site, echo: Echo, chunk: str) -> None:
    head = (
        f"POST /app/x HTTP/1.1\r\nHost: localhost:{app.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = app.send(
        (head + chunk + "0\r\n\r\nGET /app/hidden HTTP/1.1\r\nHost: x\r\n\r\n").encode()
    )
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.") == 1
    assert not any(request.whole or "hidden" in request.target for request in echo.requests)


def test_a_folded_header(app: Site, echo: Echo) -> None:
    assert status(get(app, "/app/x", "X-A: 1\r\n X-Forwarded-For: evil")) == 400
    assert not echo.requests


def test_two_hosts(app: Site, echo: Echo) -> None:
    assert status(get(app, "/app/x", "Host: other.test")) == 400
    assert not echo.requests


def test_forged_headers(app: Site, echo: Echo) -> None:
    get(
        app,
        "/app/x",
        "X-Forwarded-For: 198.51.100.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Prefix: /evil",
        "Forwarded: for=198.51.100.1",
        "Proxy: http://evil.test",
        "X_Forwarded_Host: evil.test",
        "Authorization: Bearer of-the-parent",
        "Cookie: parent_session=secret; a=1",
    )
    (request,) = echo.requests
    told = {name.lower(): value for name, value in request.headers}
    assert told["x-forwarded-for"] == "127.0.0.1"
    assert told["x-forwarded-proto"] == "http"
    assert told["x-forwarded-prefix"] == "/app"
    assert told["cookie"] == "a=1"
    assert not {"forwarded", "proxy", "x_forwarded_host", "authorization"} & set(told)


def test_another_sites_page_may_not_post(app: Site, echo: Echo) -> None:
    head = f"POST /app/x HTTP/1.1\r\nHost: localhost:{app.port}\r\nOrigin: http://evil.test\r\n"
    answer = app.send((head + "Connection: close\r\nContent-Length: 0\r\n\r\n").encode())
    assert status(answer) == 403
    assert not echo.requests


def test_a_name_that_is_not_ours(site: Site, echo: Echo) -> None:
    with Upstream(echo) as upstream:
        hosts = ["localhost", "127.0.0.1"]
        site.parent({"prefix": "/app", "upstream": upstream.url, "hosts": hosts})
        assert site.get("/app/x").status_code == 200
        rebound = site.get("/app/x", headers={"Host": "evil.test", "Origin": "http://evil.test"})
        assert rebound.status_code == 421
        assert len(echo.requests) == 1


@pytest.mark.parametrize(("length", "first"), [(50_000, 10), (500_000, 100_000)])
def test_a_visitor_who_never_sends_the_rest(
    site: Site, echo: Echo, length: int, first: int
) -> None:
    with Upstream(echo) as upstream:
        limits = {"read_timeout": 0.5}
        site.parent({"prefix": "/app", "upstream": upstream.url, "limits": limits})
        with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
            head = f"POST /app/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
            connection.sendall(head.encode() + bytes(first))
            assert status(connection.recv(65536)) in (400, 504)
        assert not any(request.whole for request in echo.requests)
        eventually(lambda: upstream.open == 0)


@pytest.mark.parametrize(
    "answers",
    [
        [b""],
        [b"hello\r\n\r\n"],
        [b"HTTP/1.1 abc\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"],
        [b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\n"],
        [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [b"\x16\x03\x01\x00\xa5\x01"],
    ],
)
def test_an_upstream_that_speaks_nonsense(shared: Shared, answers: list[bytes]) -> None:
    site, shared.part = shared.sites[False], scripted(*answers)
    answer = site.get("/app/")
    assert answer.status_code == 502
    assert answer.json()["code"] == "bad_gateway"
    assert site.get("/login").status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    ],
)
@pytest.mark.parametrize("server", [False, True])
def test_an_answer_that_ends_too_early_is_not_taken_for_whole(
    shared: Shared, answer: bytes, server: bool
) -> None:
    site, shared.part = shared.sites[server], scripted(answer)
    received = get(site, "/app/")
    if received.startswith(b"HTTP/1.1 200"):
        assert b"hello" in received
        assert not received.endswith(b"0\r\n\r\n")
    else:
        assert status(received) == 502
    assert site.get("/login").status_code == 200


def test_more_than_was_announced_is_cut_off(site: Site) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\nevil"
    with Upstream(scripted(answer)) as upstream:
        site.parent({"prefix": "/app", "upstream": upstream.url})
        assert site.get("/app/").text == "hello"
        assert site.get("/app/").text == "hello"
        assert upstream.connections == 2


def test_requests_that_break_off_anywhere(app: Site) -> None:
    for number in range(200):
        with socket.create_connection(("127.0.0.1", app.port), timeout=60) as connection:
            connection.sendall(
                b"POST /app/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"[: number % 60]
            )
