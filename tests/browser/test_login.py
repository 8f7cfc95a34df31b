"""The way of a newcomer: the sandbox's consent, a job on Webex, logging out; in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.test_page import expect_complete, expect_state, lines, start, toolbar
from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Nothing is configured: the sandbox is started beside the server."""
    folder = tmp_path_factory.mktemp("fresh")
    with Server(folder, LOGIN="", SANDBOX_SPACES="30", SANDBOX_MESSAGES="2000") as running:
        yield running


def sandbox_of(server: Server) -> str:
    found = re.search(r"Webex sandbox at (http://\S+?):? ", server.log)
    assert found, server.log
    return found[1]


def log_in(page: Page, name: str = "Ada Example") -> None:
    """On the sandbox's consent page."""
    expect(page.get_by_text("not Webex")).to_be_visible(timeout=SECONDS)
    page.get_by_label(name).check()
    page.get_by_role("button", name="Grant").click()
    expect(page.locator(".account-name")).to_have_text(name, timeout=SECONDS)


def test_from_the_consent_to_the_logout(fresh_server: Server, open_page: Open) -> None:
    page = open_page(fresh_server.url)
    log_in(page)
    expect(page.locator(".sandbox")).to_have_text("Webex sandbox")

    # Live: each page of messages takes a while.
    control = f"{sandbox_of(fresh_server)}/_control"
    requests.post(control, json={"settings": {"latency": 0.3}}, timeout=60)
    start(page, "List spaces", concurrency=2)
    expect_state(page, "running")
    eventually(lambda: any("[ 2/30]" in line for line in lines(page)))
    toolbar(page, "Stop").click()
    expect_state(page, "stopped")
    eventually(lambda: any("Stopped after" in line for line in lines(page)))

    requests.post(control, json={"settings": {"latency": 0}}, timeout=60)
    start(page, "List spaces", concurrency=50)
    expect_state(page, "succeeded")
    expect_complete(page)
    eventually(lambda: any("30 of 30 spaces: 60,000 messages" in line for line in lines(page)))

    page.get_by_role("link", name="Log out").click()
    expect(page.get_by_label("Stop my runs")).to_be_checked()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading")).to_have_text("You are logged out", timeout=SECONDS)
    page.goto(fresh_server.url)
    expect(page.get_by_text("not Webex")).to_be_visible(timeout=SECONDS)


def test_a_logout_elsewhere_shows_on_the_page_and_a_login_mends_it(
    fresh_server: Server, open_page: Open
) -> None:
    page = open_page(fresh_server.url)
    log_in(page, "Ben Example")
    other = page.context.new_page()
    other.goto(f"{fresh_server.url}/logout")
    other.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are not logged in any more.")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_role("button", name="Start List spaces")).to_be_disabled()

    other.goto(fresh_server.url)  # the same user again: the first page goes on by itself
    log_in(other, "Ben Example")
    expect(page.locator(".connection")).to_have_text("Connected", timeout=SECONDS)

    other.goto(f"{fresh_server.url}/login")  # somebody else: it does not go on as they
    log_in(other, "Cora Example")
    expect(page.locator(".connection")).to_have_text("Logged out", timeout=SECONDS)
    page.get_by_role("link", name="Log in").click()
    expect(page.locator(".account-name")).to_have_text("Cora Example", timeout=SECONDS)
