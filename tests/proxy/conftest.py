"""Fixtures of the proxy's tests: a Flask application as a process of its own, and upstreams."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import browser
from tests.proxy.support import Site

__all__ = ["browser"]

# What browsers ask for by themselves; and what they say when a server is restarted under them.
EXPECTED = (
    "favicon.ico",
    "Could not open websocket",
    "net::ERR_",
    "WebSocket connection to",
    "503 (Service Unavailable)",
)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens a page in a context of its own; any fault that it reports fails the test."""
    faults: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not any(part in text for part in EXPECTED):
            faults.append(text)

    def open_one(url: str) -> Page:
        context = browser.new_context(ignore_https_errors=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def site() -> Iterator[Site]:
    """Starts sites; they are ended after the test, and must have left nothing behind."""
    with Site() as started:
        yield started
