"""Whom the server answers behind a reverse proxy, and what it believes of whom."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import Client

from flask_realtime import ConfigurationError
from flask_realtime.forwarded import ForwardedHeaders, TrustedProxies

FORWARDED = {
    "X-Forwarded-For": "192.0.2.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "jobs.example",
    "X-Forwarded-Prefix": "/realtime",
}


def seen(address: str, headers: dict[str, str], *proxies: str) -> dict[str, Any] | int:
    """What the application sees of a request from `address`; the status when it sees nothing."""
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        found.update(environ)
        start_response("200 OK", [])
        return [b""]

    client = Client(ForwardedHeaders(application, proxies))
    response = client.get("/api/jobs", headers=headers, environ_base={"REMOTE_ADDR": address})
    return found or response.status_code


@pytest.mark.parametrize("proxy", ["10.0.0.7", "10.0.0.0/24", "localhost,10.0.0.7"])
@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7"])
def test_a_proxy_speaks_for_its_visitor(proxy: str, address: str) -> None:
    environ = seen(address, FORWARDED, *proxy.split(","))
    assert isinstance(environ, dict)
    assert environ["REMOTE_ADDR"] == "192.0.2.9"
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "jobs.example"
    assert environ["SCRIPT_NAME"] == "/realtime"
    assert environ["PATH_INFO"] == "/api/jobs"


def test_a_proxy_may_be_a_name() -> None:
    assert "127.0.0.1" in TrustedProxies(["localhost"])
    assert "127.0.0.2" not in TrustedProxies(["localhost"])


def test_only_what_the_proxy_itself_added_counts() -> None:
    headers = {"X-Forwarded-For": "198.51.100.1, 192.0.2.9", "X-Forwarded-Proto": "https"}
    environ = seen("10.0.0.7", headers, "10.0.0.7")
    assert isinstance(environ, dict)
    assert environ["REMOTE_ADDR"] == "192.0.2.9"


def test_this_machine_is_answered_and_not_believed() -> None:
    environ = seen("127.0.0.1", FORWARDED, "10.0.0.7")
    assert isinstance(environ, dict)
    assert environ["HTTP_HOST"] == "localhost"
    assert environ["SCRIPT_NAME"] == ""
    assert not [name for name in environ if name.startswith("HTTP_X_FORWARDED")]


@pytest.mark.parametrize("address", ["10.0.0.8", "2001:db8::1", "", "garbage"])
def test_nobody_else_is_answered(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert seen(address, FORWARDED, "10.0.0.7") == 403
    assert "not one of the proxies" in caplog.text


def test_a_name_without_an_address_is_nobody(caplog: pytest.LogCaptureFixture) -> None:
    assert seen("10.0.0.7", {}, "no-such-proxy.invalid") == 403
    assert "has no address now" in caplog.text


@pytest.mark.parametrize("proxy", ["10.0.0.0/99", "10.1", "a b", "", "http://nginx", "10.0.0.1/24"])
def test_what_is_no_proxy_is_refused(proxy: str) -> None:
    with pytest.raises(ConfigurationError, match="is no proxy"):
        TrustedProxies([proxy])
