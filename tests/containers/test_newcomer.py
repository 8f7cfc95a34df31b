"""A fresh clone, nothing configured, `docker-compose up`: the way of a newcomer in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_login import log_in
from tests.browser.test_page import expect_complete, expect_state, lines, start, toolbar
from tests.containers.stack import Stack, copy_of_clone
from tests.support.patience import eventually

SECONDS = 60_000  # ms that a page gets
SLOW = """
import json, urllib.request
order = json.dumps({"settings": {"latency": %s}}).encode()
headers = {"Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:5050/_control", order, headers))
"""

Open = Callable[[str], Page]


@pytest.fixture(scope="module", params=["", "/realtime"], ids=["root", "prefix"])
def fresh(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """At the root, and below a prefix."""
    folder = copy_of_clone(tmp_path_factory.mktemp("fresh"))
    with Stack(folder, PREFIX=request.param) as running:
        running.compose("up", "-d", "--build")
        eventually(lambda: running.status(f"{request.param}/readyz") == 200)
        yield running


@pytest.fixture
def address(fresh: Stack) -> str:
    return fresh.url + fresh.environ["PREFIX"] + "/"


def test_from_the_consent_to_the_logout(
    fresh: Stack, address: str, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(address)
    assert page.url.startswith(f"{address}webex-sandbox/")
    log_in(page)
    expect(page.locator(".sandbox")).to_have_text("Webex sandbox")

    fresh.python(SLOW % 0.3, "sandbox")
    run = start(page, "List spaces", concurrency=2)
    assert page.url == f"{address}runs/{run}"
    expect_state(page, "running")
    eventually(lambda: any("[  2/200]" in line for line in lines(page)))
    page.screenshot(path=tmp_path / "running.png")
    toolbar(page, "Stop").click()
    expect_state(page, "stopped")
    eventually(lambda: any("Stopped after" in line for line in lines(page)))
    fresh.python(SLOW % 0, "sandbox")

    start(page, "Code census")
    expect_state(page, "succeeded")
    expect_complete(page)
    page.reload()
    expect_state(page, "succeeded")

    page.get_by_role("link", name="Log out").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading")).to_have_text("You are logged out", timeout=SECONDS)
    page.goto(address)
    expect(page.get_by_text("not Webex")).to_be_visible(timeout=SECONDS)


def test_the_page_keeps_one_websocket_through_nginx(
    fresh: Stack, address: str, open_page: Open
) -> None:
    page = open_page("about:blank")
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    log_in(page, "Ben Example")
    expect(page.locator(".connection")).to_have_text("Connected", timeout=SECONDS)
    below = address.partition("://")[2]
    assert [url.partition("?")[0] for url in sockets] == [f"ws://{below}socket.io/"]
    assert not [url for url in asked if "transport=polling" in url]
    assert all(url.startswith(address) for url in asked)


def test_the_controls_of_the_sandbox_are_out_of_reach(fresh: Stack) -> None:
    prefix = fresh.environ["PREFIX"]
    for path in (
        "_control",
        "_control/",
        "%5Fcontrol",
        "/_control",
        "a/../_control",
        "a/..%2f_control",
    ):
        assert fresh.status(f"{prefix}/webex-sandbox/{path}") == 404
    assert fresh.status(f"{prefix}/webex-sandbox/v1/people/me") == 401


def test_what_is_outside_the_prefix_is_not_there(fresh: Stack) -> None:
    if fresh.environ["PREFIX"]:
        assert fresh.status("/") == 404
        assert fresh.status("/api/jobs") == 404
        assert fresh.status("/realtimes/") == 404
        assert fresh.get("/realtime").headers["Location"] == "/realtime/"
    else:
        assert fresh.get("/").headers["Location"] == "/login?next=/"
