"""How far runs are, in a real Chromium, before a real server with jobs that say so."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]


def header(page: Page) -> Locator:
    return page.locator(".run-header")


def heights(page: Page) -> list[float]:
    """Of what would move if the words about progress took room of their own."""
    found: list[float] = page.locator(".run-header, .run-row:first-child, .toolbar").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().height)"
    )
    return found


def bar(part: Locator) -> Locator:
    return part.get_by_role("progressbar", name="Progress of Half way")


def test_progress_is_a_bar_with_percent_in_header_and_lists(going: Server, open_page: Open) -> None:
    run = going.start_run("half_way")
    page, past = open_page(f"{going.url}/runs/{run}"), open_page(f"{going.url}/runs")
    field = page.get_by_label("Begin?")
    expect(field).to_be_visible(timeout=SECONDS)
    expect(bar(page.locator("body"))).to_have_count(0)
    before = heights(page)

    field.press("Enter")
    expect(header(page)).to_contain_text("Files: 45 %", timeout=SECONDS)
    expect(bar(header(page))).to_have_attribute("value", "45")
    row = page.locator(".run-row").filter(has_text="45 %").first
    expect(bar(row)).to_be_visible()
    expect(page.get_by_label("Go on?")).to_be_visible(timeout=SECONDS)
    assert heights(page) == before
    listed = past.get_by_role("row").filter(has=past.locator(f'a[href*="{run}"]'))
    expect(bar(listed)).to_have_attribute("value", "45", timeout=SECONDS)

    # Without a total it is a count, and no bar.
    page.get_by_label("Go on?").press("Enter")
    expect(header(page)).to_contain_text("Records: 1,234 so far", timeout=SECONDS)
    expect(bar(header(page))).to_have_count(0)
    page.get_by_label("Go on?").press("Enter")
    expect(header(page).locator(".chip")).to_have_attribute(
        "data-state", "succeeded", timeout=SECONDS
    )
    expect(header(page)).not_to_contain_text("so far")


def test_a_bar_in_the_output_is_read_with_the_time_left(going: Server, open_page: Open) -> None:
    run = going.start_run("prints_a_bar")
    page = open_page(f"{going.url}/runs/{run}")
    expect(header(page)).to_contain_text("45 %, 11 s left", timeout=SECONDS)
    expect(page.locator(".row-text").first).to_contain_text("9/20")  # the output is as it was
    past = open_page(f"{going.url}/runs")
    listed = past.get_by_role("row").filter(has=past.locator(f'a[href*="{run}"]'))
    expect(listed).to_contain_text("45 %, 11 s left", timeout=SECONDS)
    going.post(f"/api/runs/{run}/stop", {"force": True})
    expect(listed).not_to_contain_text("11 s left", timeout=SECONDS)
