"""The parent's login stands before its app servers, and stays its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
from flask import Flask

from flask_realtime import ReverseProxy
from flask_realtime.trust import HostAndOriginGuard
from tests.proxy.support import Site
from tests.proxy.upstreams import Echo, Upstream


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def upstream(echo: Echo) -> Iterator[Upstream]:
    with Upstream(echo) as running:
        yield running


def test_nobody_gets_to_the_login_and_not_to_the_app(
    site: Site, upstream: Upstream, echo: Echo
) -> None:
    site.parent({"prefix": "/app", "upstream": upstream.url}, login=True)
    answer = site.get("/app/x", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    with requests.post(site.url + "/app/x", data=b"x" * 100_000, timeout=60) as posted:
        assert posted.text == "welcome"
    assert not echo.requests


def test_who_is_logged_in_gets_to_the_app_which_learns_no_secret(
    site: Site, upstream: Upstream, echo: Echo
) -> None:
    site.parent({"prefix": "/app", "upstream": upstream.url}, login=True)
    with requests.Session() as session:
        session.get(site.url + "/login", timeout=60)
        answer = session.get(site.url + "/app/x", timeout=60)
    assert answer.status_code == 200
    assert not echo.requests[0].values("cookie")
    # What the parent adds to its own pages would forbid an app server's scripts.
    assert "Content-Security-Policy" not in answer.headers


def test_an_app_of_its_own_rules(site: Site, upstream: Upstream, echo: Echo) -> None:
    site.parent({"prefix": "/app", "upstream": upstream.url, "deny": True})
    answer = site.get("/app/x")
    assert answer.status_code == 403
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert not echo.requests


def test_the_session_of_an_embedded_flask_app_is_another(
    site: Site, upstream: Upstream, echo: Echo
) -> None:
    site.parent({"prefix": "/app", "upstream": upstream.url}, login=True)
    with requests.Session() as session:
        session.get(site.url + "/login", timeout=60)
        url = site.url + "/app/raw?headers=Set-Cookie:%20parent_session=theirs;%20Path=/"
        session.get(url, timeout=60)
        assert session.get(site.url + "/app/x", timeout=60).status_code == 200
        assert echo.requests[-1].values("cookie") == ["parent_session=theirs"]


@pytest.mark.parametrize("guard_first", [True, False])
def test_guards_stand_around_it_in_whatever_order_they_come(
    upstream: Upstream, echo: Echo, guard_first: bool
) -> None:
    app = Flask("parent")
    proxy = ReverseProxy("/app", upstream.url)
    if not guard_first:
        proxy.init_app(app)
    app.wsgi_app = HostAndOriginGuard(app.wsgi_app, ["localhost"])  # type: ignore[method-assign]
    if guard_first:
        proxy.init_app(app)
    try:
        visitor = app.test_client()
        assert visitor.get("/app/x", headers={"Host": "evil.test"}).status_code == 421
        assert not echo.requests
        assert json.loads(visitor.post("/app/x", data=b"abc").data)["body_bytes"] == 3
        assert visitor.get("/elsewhere").status_code == 404
    finally:
        proxy.close()
