"""The examples, in a real Chromium: a slider moves, Python answers, the page changes."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.proxy.support import Site

WAIT_MS = 30_000


def app_server(site: Site, word: str) -> psutil.Process:
    """The app server itself: below its guard."""
    return next(
        each
        for each in site.children()
        if word in " ".join(each.cmdline()) and "guard.py" not in " ".join(each.cmdline())
    )


def test_a_bokeh_slider_in_a_page_of_flask(site: Site, open_page: Callable[[str], Page]) -> None:
    site.start("examples/bokeh/site.py", "0")
    page = open_page(site.url)
    expect(page.get_by_text("f is 1", exact=True)).to_be_visible(timeout=WAIT_MS)
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(page.get_by_text("Python says: f is 2")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.parametrize("path", ["/flexx/", "/tools/slide/"])
def test_a_flexx_slider(site: Site, open_page: Callable[[str], Page], path: str) -> None:
    site.start("examples/flexx/site.py", "0")
    page = open_page(site.url + path)
    expect(page.get_by_text("the value is 1")).to_be_visible(timeout=WAIT_MS)
    move_flexx_slider(page)
    expect(page.get_by_text("Python says: the value is 10")).to_be_visible(timeout=WAIT_MS)


def move_flexx_slider(page: Page) -> None:
    box = page.locator(".flx-Slider").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"] + 4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], middle, steps=5)
    page.mouse.up()
