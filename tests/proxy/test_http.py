"""HTTP through the proxy, against a real server that does what its path says."""

from __future__ import annotations

import hashlib
import http.client
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.proxy.support import Site
from tests.proxy.upstreams import Echo, Upstream
from tests.support.patience import eventually

MIB = 1 << 20


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def upstream(echo: Echo) -> Iterator[Upstream]:
    with Upstream(echo) as running:
        yield running


@pytest.fixture
def app(site: Site, upstream: Upstream) -> Site:
    """The echo at /app."""
    return serve(site, upstream, server=True)


def serve(site: Site, upstream: Upstream, /, *, server: bool = False, **arguments: Any) -> Site:
    mount = {"prefix": "/app", "upstream": upstream.url, "strip_prefix": True, **arguments}
    return site.parent(mount, server=server)


def test_a_request_arrives_as_it_was_sent(app: Site, echo: Echo) -> None:
    answer = app.get("/app/a%20b//c?x=1&y=%2F", headers={"X-Custom": "yes", "Cookie": "a=1"})
    assert answer.status_code == 200
    (request,) = echo.requests
    assert request.target == "/a%20b//c?x=1&y=%2F"
    assert request.values("x-custom") == ["yes"]
    assert request.values("cookie") == ["a=1"]
    assert request.values("x-forwarded-prefix") == ["/app"]
    assert request.values("x-forwarded-for") == ["127.0.0.1"]
    public = app.url.partition("://")[2]
    assert request.values("host") == request.values("x-forwarded-host") == [public]


def test_without_the_slash_the_visitor_is_sent_to_it(app: Site, echo: Echo) -> None:
    answer = app.get("/app?x=1", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/app/?x=1")
    assert not echo.requests


def test_bodies_with_a_length(app: Site, echo: Echo) -> None:
    for size in (0, 1, 70_000, 3 * MIB):
        data = bytes(size)
        answer = requests.post(app.url + "/app/", data=data, timeout=60).json()
        assert (answer["body_bytes"], answer["sha"]) == (size, hashlib.sha256(data).hexdigest())
        assert echo.requests[-1].values("content-length") == [str(size)]


def test_chunked_bodies(app: Site, echo: Echo) -> None:
    pieces = [b"x" * size for size in (1, 5000, 100_000)]
    answer = requests.post(app.url + "/app/", data=iter(pieces), timeout=60).json()
    assert answer["sha"] == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert echo.requests[-1].values("transfer-encoding") == ["chunked"]
    assert app.get("/app/").status_code == 200


def test_what_comes_of_a_body_is_passed_on_before_the_rest(app: Site, echo: Echo) -> None:
    for framing, first, rest in (
        ("Content-Length: 100000", b"x" * 5, b"x" * 99_995),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n", b"0\r\n\r\n"),
    ):
        seen = len(echo.requests)
        with socket.create_connection(("127.0.0.1", app.port), timeout=60) as connection:
            head = f"POST /app/ HTTP/1.1\r\nHost: localhost:{app.port}\r\n{framing}\r\n\r\n"
            connection.sendall(head.encode() + first)
            eventually(lambda: len(echo.requests) > seen and echo.requests[-1].body_bytes == 5)  # noqa: B023
            connection.sendall(rest)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_client_that_waits_for_100_continue_gets_it(app: Site, echo: Echo) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=60) as connection:
        connection.sendall(
            b"POST /app/ HTTP/1.1\r\nHost: localhost:%d\r\nContent-Length: 3\r\n"
            b"Expect: 100-continue\r\n\r\n" % app.port
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b"abc")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert not echo.requests[-1].values("expect")


def test_answers_of_every_framing(app: Site) -> None:
    assert app.get("/app/chunked").text == "one two three"
    assert app.get("/app/until-close").text == "to the end"
    head = requests.head(app.url + "/app/", timeout=60)
    assert int(head.headers["Content-Length"]) > 100
    answer = app.get("/app/raw", params={"headers": "X-A: 1", "status": "204 No Content"})
    assert answer.status_code == 204


def test_encodings_pass_untouched(app: Site) -> None:
    with http_connection(app) as connection:
        connection.request("GET", "/app/raw?headers=Content-Encoding:%20br")
        answer = connection.getresponse()
        assert answer.getheader("Content-Encoding") == "br"
        answer.read()


def test_cookies_and_locations_are_those_of_the_prefix(app: Site) -> None:
    lines = "Set-Cookie: a=1; Path=/; Domain=test\nSet-Cookie: parent_session=2\nLocation: /next"
    with http_connection(app) as connection:
        connection.request("GET", "/app/raw?headers=" + requests.utils.quote(lines))
        answer = connection.getresponse()
        found = answer.headers.get_all("Set-Cookie")
        assert found == ["a=1; Path=/app/", "proxied.parent_session=2; Path=/app"]
        assert answer.getheader("Location") == "/app/next"
        answer.read()


def test_connections_are_kept_and_a_stale_one_is_replaced(
    site: Site, echo: Echo, tmp_path: Path
) -> None:
    path = str(tmp_path / "app.sock")
    with Upstream(echo, path=path) as first:
        serve(site, first)
        for _ in range(5):
            assert site.get("/app/").status_code == 200
        assert first.connections == 1
    with Upstream(echo, path=path) as second:
        assert site.get("/app/").status_code == 200
        assert second.connections == 1


def test_many_at_once(app: Site, upstream: Upstream) -> None:
    connections = [http_connection(app) for _ in range(50)]
    for connection in connections:
        connection.request("GET", "/app/slow?seconds=0.5")
    began = time.monotonic()
    assert {connection.getresponse().status for connection in connections} == {200}
    assert time.monotonic() - began < 15  # one after the other: 25
    for connection in connections:
        connection.close()


def test_an_answer_is_passed_on_while_it_comes(app: Site) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=60) as connection:
        connection.sendall(b"GET /app/events HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % app.port)
        received = b""
        while b"data: 1" not in received:
            received += connection.recv(65536)


def test_a_visitor_who_leaves_a_silent_stream_is_noticed(app: Site, upstream: Upstream) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=60) as connection:
        connection.sendall(
            b"GET /app/events-watched HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % app.port
        )
        assert connection.recv(65536)
        assert upstream.open == 1
    eventually(lambda: upstream.open == 0)


def test_an_early_answer_reaches_a_visitor_who_still_sends(app: Site) -> None:
    answer = requests.post(app.url + "/app/early", data=bytes(20 * MIB), timeout=60)
    assert (answer.status_code, answer.text) == (403, "no")


def test_a_visitor_who_leaves_within_a_body_does_not_end_it(app: Site, echo: Echo) -> None:
    for framing in ("Content-Length: 200000", "Transfer-Encoding: chunked"):
        seen = len(echo.requests)
        with socket.create_connection(("127.0.0.1", app.port), timeout=60) as connection:
            head = f"POST /app/ HTTP/1.1\r\nHost: localhost:{app.port}\r\n{framing}\r\n\r\n"
            connection.sendall(head.encode() + b"5\r\nhello\r\n")
            eventually(lambda: len(echo.requests) > seen and echo.requests[-1].body_bytes >= 5)  # noqa: B023
        assert app.get("/app/").status_code == 200
        assert not echo.requests[seen].whole


def test_large_bodies_both_ways_at_constant_memory(app: Site, echo: Echo) -> None:
    size = 200 * MIB

    def pieces(count: int) -> Iterator[bytes]:
        piece = bytes(MIB)
        for _ in range(count):
            yield piece

    app.get("/app/")
    before = app.memory_bytes()
    answer = requests.post(app.url + "/app/", data=pieces(size // MIB), timeout=120).json()
    assert answer["body_bytes"] == size
    received = 0
    with app.get(f"/app/download?bytes={size}", stream=True) as download:
        for piece in download.iter_content(MIB):
            received += len(piece)
    assert received == size
    assert app.memory_bytes() - before < 20 * MIB


def test_a_body_beyond_the_limit_is_refused(site: Site, upstream: Upstream, echo: Echo) -> None:
    serve(site, upstream, limits={"max_body_bytes": 1000})
    assert requests.post(site.url + "/app/", data=bytes(1000), timeout=60).status_code == 200
    assert requests.post(site.url + "/app/", data=bytes(1001), timeout=60).status_code == 413
    seen = len(echo.requests)
    answer = requests.post(site.url + "/app/", data=iter([bytes(600)] * 3), timeout=60)
    assert answer.status_code == 413
    assert not any(request.whole for request in echo.requests[seen:])


def test_timeouts(site: Site, upstream: Upstream) -> None:
    serve(site, upstream, limits={"read_timeout": 0.3})
    answer = site.get("/app/slow?seconds=5")
    assert answer.status_code == 504
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "gateway_timeout"


def test_nobody_there(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site.parent({"prefix": "/app", "upstream": f"http://127.0.0.1:{port}"})
    assert site.get("/app/").status_code == 502
    page = site.get("/app/", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<script" not in page.text


def test_texts_are_rewritten_and_nothing_else(site: Site, upstream: Upstream, echo: Echo) -> None:
    serve(site, upstream, rewrite={"/own/": "{prefix}/own/"})
    assert site.get("/app/page").text == '<script src="/app/own/a.js"></script>' * 3
    assert "/app/own" in site.get("/app/page?kind=text/javascript").text
    assert "/app/own" not in site.get("/app/page?kind=application/json").text
    assert not any(request.values("accept-encoding") for request in echo.requests)


def test_the_upstreams_own_path_takes_the_prefix_place(
    site: Site, upstream: Upstream, echo: Echo
) -> None:
    serve(site, upstream, upstream=upstream.url + "/sub/app")
    site.get("/app/x")
    assert echo.requests[-1].target == "/sub/app/x"


def test_a_host_name_of_its_own(site: Site, upstream: Upstream, echo: Echo) -> None:
    site.parent({"host": "apps.test", "upstream": upstream.url, "name": "apps"})
    assert site.get("/x").status_code == 404
    answer = site.get("/x", headers={"Host": f"apps.test:{site.port}"})
    assert answer.status_code == 200
    assert echo.requests[-1].target == "/x"


def test_forwarded_headers_of_a_named_proxy_count(
    site: Site, upstream: Upstream, echo: Echo
) -> None:
    headers = {
        "X-Forwarded-For": "198.51.100.1, 192.0.2.9",
        "X-Forwarded-Host": "public.test",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/sub",
    }
    serve(site, upstream, proxies=["127.0.0.1"])
    site.get("/app/", headers=headers)
    request = echo.requests[-1]
    assert request.values("x-forwarded-for") == ["192.0.2.9"]
    assert request.values("x-forwarded-host") == ["public.test"]
    assert request.values("x-forwarded-proto") == ["https"]
    assert request.values("x-forwarded-prefix") == ["/sub/app"]


def http_connection(site: Site) -> Any:
    class Connection(http.client.HTTPConnection):
        def __enter__(self) -> Connection:
            return self

        def __exit__(self, *error: object) -> None:
            self.close()

    return Connection("127.0.0.1", site.port, timeout=60)
