"""What the tests of forms do with the page: cards, runs, and the jobs of formjobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 20_000  # ms that a page gets

Open = Callable[[str], Page]


def card_of(page: Page, title: str) -> Locator:
    return page.locator(".job").filter(
        has=page.get_by_role("button", name=f"Start {title}", exact=True)
    )


def press_start(page: Page, title: str) -> str:
    """Press Start, and return the id of the run that the page shows then."""
    before = path(page)
    card_of(page, title).get_by_role("button", name=f"Start {title}").click()
    return next_run(page, before)


def next_run(page: Page, before: str) -> str:
    eventually(lambda: path(page) != before and "/runs/" in path(page))
    return path(page).rsplit("/", 1)[1]


def path(page: Page) -> str:
    asked: str = page.evaluate("location.pathname")
    return asked


def printed(server: Server, run: str) -> dict[str, Any]:
    """What a job of formjobs was called with."""
    assert server.ended(run)["state"] == "succeeded", server.output(run)
    values: dict[str, Any] = json.loads(server.output(run))
    return values


def paste(page: Page, text: str) -> None:
    """Paste into what has the focus: the clipboard itself is not ours."""
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const options = {clipboardData: data, bubbles: true, cancelable: true};
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        text,
    )
