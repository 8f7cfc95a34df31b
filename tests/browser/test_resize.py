"""The page while its window changes size: a phone is turned, a keyboard opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.patience import eventually
from tests.support.server import Server

Open = Callable[[str], Page]

SIZES = ((1200, 800), (390, 844), (844, 390), (390, 500), (390, 844), (1200, 800))


def is_at_end(page: Page) -> bool:
    """Whether the last line that the page holds is within the view."""
    below: bool = page.evaluate(
        """() => {
            const number = (row) => Number(row.dataset.line);
            const rows = [...document.querySelectorAll('.row')];
            const last = rows.reduce((a, b) => (number(a) > number(b) ? a : b));
            const view = last.closest('[tabindex]').getBoundingClientRect();
            return last.getBoundingClientRect().top < view.bottom;
        }"""
    )
    return below


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_new_size_does_not_end_following(server: Server, open_page: Open, wrapped: bool) -> None:
    run = server.start_run("count", lines=100_000, delay_ms=2, label="x" * 60)
    page = open_page(f"{server.url}/runs/{run}")
    follow = page.get_by_role("toolbar").get_by_role("button", name="Follow")
    if wrapped:
        page.get_by_role("toolbar").get_by_role("button", name="Wrap").click()
    page.locator(".row").nth(40).wait_for()
    for width, height in SIZES * 2:
        page.set_viewport_size({"width": width, "height": height})
        before = server.run_record(run)["output_bytes"]
        eventually(lambda before=before: server.run_record(run)["output_bytes"] > before + 5000)
        expect(follow).to_have_attribute("aria-pressed", "true")
        eventually(lambda: is_at_end(page))
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)
