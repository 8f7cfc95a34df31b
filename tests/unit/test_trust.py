"""Which requests a server without a login refuses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.errors import ConfigurationError
from flask_realtime.trust import (
    LOOPBACK_HOSTS,
    Asked,
    Authority,
    HostAndOriginGuard,
    decide,
    normal_host,
    parse_authority,
    security_headers,
)

HOSTS = ("localhost", "127.0.0.1", "[::1]", "Jobs.Example.")
NORMAL = frozenset({"localhost", "127.0.0.1", "[::1]", "jobs.example"})


def asked(**changes: Any) -> Asked:
    return Asked(**{"method": "GET", "scheme": "http", "host": "localhost:5000", **changes})


def status(**changes: Any) -> int:
    refusal = decide(asked(**changes), NORMAL)
    return 200 if refusal is None else int(refusal.status.split()[0])


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:5000", "LOCALHOST:80", "localhost.", "localhost.:5000"),
        *("127.0.0.1:5000", "[::1]:5000", "[0:0:0:0:0:0:0:1]", "[::0001]", "localhost:"),
        *("jobs.example", "JOBS.EXAMPLE.:443"),
    ],
)
def test_its_own_names_are_answered_on_any_port(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:5000", "localhost.evil.example", "evillocalhost"),
        *("127.0.0.2", "127.1", "0.0.0.0", "2130706433", "0x7f.1", "[::]", "[::ffff:127.0.0.1]"),
        *("xlocalhost", "jobs.example.evil.example", "example", "127.0.0.1.nip.example"),
    ],
)
def test_other_names_are_misdirected(host: str) -> None:
    assert status(host=host) == 421


@pytest.mark.parametrize(
    "host",
    [
        *(None, "", " ", ":", ":5000", ".", "localhost..", "localhost,evil.example", "a b"),
        *("localhost localhost", "localhost, localhost", "localhost:80:80", "localhost:x"),
        *("localhost:99999", "localhost:-1", "me@localhost", "localhost/", "localhost?", "local#"),
        *("localhost\n", "localhost\r\nX: y", "local\x00host", "\tlocalhost", "localhost:80\n"),
        *("::1", "[::1", "::1]", "[::1]x", "[fe80::1%25eth0]", "[127.0.0.1]", "[]", "lоcalhost"),
        *("localhost:٨٠", "*", "a" * 64, ("a" * 60 + ".") * 5 + "b", "x" * 1_000_000),
    ],
)
def test_a_host_that_is_missing_doubled_or_malformed_is_refused(host: str | None) -> None:
    assert status(host=host) == 400


@pytest.mark.parametrize(
    ("host", "scheme", "origin", "expected"),
    [
        ("localhost:5000", "http", "http://localhost:5000", 200),
        ("LocalHost:5000", "http", "HTTP://localhost.:5000", 200),
        ("localhost", "http", "http://localhost:80", 200),
        ("localhost:80", "http", "http://localhost", 200),
        ("localhost", "https", "https://localhost:443", 200),
        ("[::1]:5000", "http", "http://[0::1]:5000", 200),
        ("localhost:5000", "http", "http://localhost:5001", 403),
        ("localhost:5000", "http", "http://localhost", 403),
        ("localhost:5000", "http", "https://localhost:5000", 403),
        ("localhost", "https", "http://localhost", 403),
        ("localhost:5000", "http", "http://127.0.0.1:5000", 403),
        ("localhost:5000", "http", "http://evil.example", 403),
        ("localhost:5000", "http", "http://localhost:5000.evil.example", 403),
        ("localhost:5000", "http", "http://localhost:5000@evil.example", 403),
        ("localhost:5000", "http", "http://localhost:5000/", 403),
        ("localhost:5000", "http", "http://localhost:5000 http://evil.example", 403),
        ("localhost:5000", "http", "http://localhost:5000,http://localhost:5000", 403),
        ("localhost:5000", "http", "http://localhost:5000\n", 403),
        ("localhost", "http", "http://localhost:0", 403),
        ("localhost:5000", "http", "null", 403),
        ("localhost:5000", "http", "", 403),
        ("localhost:5000", "http", "file://", 403),
        ("localhost:5000", "http", "chrome-extension://abcdef", 403),
    ],
)
def test_sockets_and_changes_are_for_the_own_origin_only(
    host: str, scheme: str, origin: str, expected: int
) -> None:
    who = {"host": host, "scheme": scheme, "origin": origin}
    assert status(**who, is_upgrade=True) == expected
    assert status(**who, is_socket_path=True) == expected
    assert status(**who, is_socket_path=True, method="OPTIONS") == expected
    for method in ("POST", "PUT", "PATCH", "DELETE", "QUERY", "get"):
        assert status(**who, method=method) == expected
    for method in ("GET", "HEAD", "OPTIONS"):
        assert status(**who, method=method) == 200


def test_programs_send_no_origin_and_are_let_in() -> None:
    assert status(method="POST") == 200
    assert status(is_upgrade=True) == 200
    assert status(is_socket_path=True) == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_link_here_and_nothing_else(site: str) -> None:
    link = {"fetch_site": site, "fetch_mode": "navigate", "fetch_dest": "document"}
    assert status(**link) == 200
    assert status(**link, method="HEAD") == 200
    assert status(**link, method="POST") == 403
    assert status(**link, is_upgrade=True) == 403
    assert status(**link, is_socket_path=True) == 403
    assert status(**{**link, "fetch_dest": "iframe"}) == 403
    assert status(**{**link, "fetch_dest": None}) == 403
    assert status(**{**link, "fetch_mode": "no-cors", "fetch_dest": "image"}) == 403
    assert status(fetch_site=site) == 403


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_the_own_pages_and_the_address_bar_may_do_all(site: str | None) -> None:
    assert status(fetch_site=site, fetch_mode="cors") == 200
    assert status(fetch_site=site, method="POST", origin="http://localhost:5000") == 200
    assert status(fetch_site=site, is_upgrade=True, origin="http://localhost:5000") == 200


def test_a_rebound_name_is_refused_although_the_browser_calls_it_the_same_origin() -> None:
    rebound = {"host": "evil.example:5000", "origin": "http://evil.example:5000"}
    assert status(**rebound, method="POST", fetch_site="same-origin") == 421


@given(st.text())
def test_what_is_read_as_a_host_comes_back_the_same(text: str) -> None:
    host = normal_host(text)
    if host is not None:
        assert normal_host(host) == host
        assert parse_authority(host) == Authority(host, None)
        assert host.isascii()
        assert host.isprintable()


class Through:
    """A WSGI application that counts what reached it."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"through"]


def call(guard: HostAndOriginGuard, **environ: str) -> tuple[str, dict[str, str], bytes]:
    full: dict[str, Any] = {}
    setup_testing_defaults(full)
    full.update({"HTTP_HOST": "localhost:5000", "QUERY_STRING": "", **environ})
    answer: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        answer.extend([status, dict(headers)])
        return lambda data: None

    result = validator(guard)(full, start_response)
    body = b"".join(result)
    result.close()  # type: ignore[attr-defined]
    return answer[0], answer[1], body


def test_the_guard_hands_on_what_is_fine() -> None:
    inner = Through()
    assert call(HostAndOriginGuard(inner, HOSTS))[2] == b"through"
    assert inner.calls == 1


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTP_HOST": "evil.example"}, "421 Misdirected Request"),
        ({"HTTP_HOST": "localhost,evil.example"}, "400 Bad Request"),
        ({"HTTP_ORIGIN": "null", "REQUEST_METHOD": "POST"}, "403 Forbidden"),
        ({"HTTP_ORIGIN": "null", "PATH_INFO": "/socket.io/"}, "403 Forbidden"),
        ({"HTTP_ORIGIN": "null", "PATH_INFO": "/socket.io"}, "403 Forbidden"),
        ({"HTTP_ORIGIN": "null", "HTTP_UPGRADE": "WebSocket"}, "403 Forbidden"),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, "403 Forbidden"),
    ],
)
def test_the_guard_answers_with_a_problem_and_hands_nothing_on(
    environ: dict[str, str], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    inner = Through()
    status, headers, body = call(HostAndOriginGuard(inner, HOSTS), **environ)
    assert (status, inner.calls) == (expected, 0)
    assert headers["Content-Type"] == "application/problem+json"
    problem = json.loads(body)
    assert f"{problem['status']} {problem['title']}" == expected
    assert problem["code"] == "not_allowed"
    assert problem["detail"].endswith(".")
    assert problem["detail"] in caplog.text


def test_the_guard_sends_no_body_after_head() -> None:
    answer = call(
        HostAndOriginGuard(Through(), HOSTS), HTTP_HOST="evil.example", REQUEST_METHOD="HEAD"
    )
    assert answer[2] == b""


def test_a_path_that_only_begins_like_the_sockets_is_not_theirs() -> None:
    guard = HostAndOriginGuard(Through(), HOSTS, socket_path="live/")
    assert call(guard, HTTP_ORIGIN="null", PATH_INFO="/lives")[0] == "200 OK"
    assert call(guard, HTTP_ORIGIN="null", PATH_INFO="/live/x")[0] == "403 Forbidden"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *(("/realtime", 403), ("/realtime/", 403), ("/realtime/api/runs", 403)),
        *(("//realtime//api", 403), ("/socket.io/", 403), ("", 200), ("/", 200)),
        *(("/other/realtime", 200), ("/realtimes", 200), ("/realtime.html", 200)),
    ],
)
def test_an_application_with_ways_of_its_own_is_watched_below_the_prefixes_only(
    path: str, expected: int
) -> None:
    guard = HostAndOriginGuard(Through(), HOSTS, prefixes=("/realtime", "/socket.io"))
    status = call(guard, HTTP_ORIGIN="null", REQUEST_METHOD="POST", PATH_INFO=path)[0]
    assert int(status.split()[0]) == expected


def test_below_the_root_is_everything() -> None:
    guard = HostAndOriginGuard(Through(), LOOPBACK_HOSTS, prefixes=("/", "/socket.io"))
    for path in ("", "/", "/a", "//b"):
        assert call(guard, HTTP_HOST="evil.example", PATH_INFO=path)[0][:3] == "421"
        assert call(guard, PATH_INFO=path)[0][:3] == "200"


def test_a_missing_host_is_refused() -> None:
    guard = HostAndOriginGuard(Through(), HOSTS)
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    del environ["HTTP_HOST"]
    seen: list[str] = []
    guard(environ, lambda status, headers, exc_info=None: seen.append(status))  # type: ignore[arg-type]
    assert seen == ["400 Bad Request"]


def test_what_a_client_sent_cannot_break_a_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = HostAndOriginGuard(Through(), HOSTS)
    call(guard, HTTP_HOST="x\r\nroot: all is well\x1b[2J" + "y" * 100_000)
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert len(record.getMessage()) < 300


@pytest.mark.parametrize("host", ["*", "", "localhost:5000", "http://localhost", "::1", "a,b"])
def test_a_host_to_answer_to_must_be_a_name(host: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a host name to answer to"):
        HostAndOriginGuard(Through(), [host])


def test_pages_allow_no_script_but_their_own_and_no_frame_around_them() -> None:
    headers = security_headers()
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
