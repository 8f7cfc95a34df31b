"""The search in the whole output and the download, in a real Chromium, before the real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets
LINES = 200_000  # 6 MB: a page loads 2 MiB of it by itself
NEEDLES = LINES // 1000

Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def haystack(server: Server) -> Iterator[str]:
    """The path of a run that is longer than what a page loads."""
    run = server.start_run("haystack", lines=LINES, needle_every=1000)
    server.ended(run)
    return f"/runs/{run}"


def search(page: Page, text: str) -> None:
    expect(page.locator(".run-header")).to_contain_text("complete", timeout=SECONDS)
    page.keyboard.press("/")
    page.get_by_role("searchbox").fill(text)  # at once: half a word is searched as well


def results(page: Page) -> Locator:
    return page.get_by_role("list", name="Lines that match").get_by_role("button")


def numbers(page: Page) -> list[int]:
    texts = page.locator(".found-number").all_inner_texts()
    return [int(re.sub(r"\D", "", text)) for text in texts]


def test_what_the_page_does_not_hold_is_found_a_hundred_lines_at_a_time(
    server: Server, open_page: Open, haystack: str
) -> None:
    page = open_page(server.url + haystack)
    search(page, "NEEDLE")
    expect(results(page)).to_have_count(100, timeout=SECONDS)
    expect(page.get_by_text("100 lines found in the first")).to_be_visible()
    expect(page.locator(".found-text mark").first).to_have_text("needle")
    page.get_by_role("button", name="Search on").click()
    expect(results(page)).to_have_count(NEEDLES, timeout=SECONDS)
    expect(page.get_by_text(f"{NEEDLES} lines found in the whole output")).to_be_visible()
    expect(page.get_by_role("button", name="Search on")).to_be_hidden()
    assert numbers(page) == list(range(1000, LINES + 1, 1000))


def test_a_result_leads_to_its_line_also_by_keyboard(
    server: Server, open_page: Open, haystack: str
) -> None:
    page = open_page(server.url + haystack)
    search(page, "needle")
    expect(results(page)).to_have_count(100, timeout=SECONDS)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    marked = page.locator(".row.is-marked .row-text")
    expect(marked).to_have_text("2000 needle here", timeout=SECONDS)
    expect(marked).to_be_in_viewport()
    assert page.evaluate("location.hash") == "#L2000"
    results(page).nth(41).click()
    expect(marked).to_have_text("42000 needle here", timeout=SECONDS)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_be_hidden()
    expect(results(page)).to_have_count(0)


# The reader types a letter and goes down into the list before the server is asked anew.
TYPE_AND_GO_DOWN = """() => {
  const field = document.querySelector("[role=searchbox]");
  field.value = "needle";
  field.dispatchEvent(new Event("input"));
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  return document.activeElement === document.querySelector(".found-list button");
}
"""


def test_who_is_in_the_list_while_another_takes_its_place_is_back_in_the_field(
    server: Server, open_page: Open, haystack: str
) -> None:
    page = open_page(server.url + haystack)
    search(page, "needl")
    expect(results(page)).to_have_count(100, timeout=SECONDS)
    expect(page.locator(".found-text mark").first).to_have_text("needl")
    assert page.evaluate(TYPE_AND_GO_DOWN)
    expect(page.locator(".found-text mark").first).to_have_text("needle", timeout=SECONDS)
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    marked = page.locator(".row.is-marked .row-text")
    expect(marked).to_have_text("1000 needle here", timeout=SECONDS)


def test_a_bad_pattern_is_said_in_the_servers_words(
    server: Server, open_page: Open, tolerated: list[str], haystack: str
) -> None:
    tolerated.append("400 (BAD REQUEST)")
    page = open_page(server.url + haystack)
    expect(page.locator(".run-header")).to_contain_text("complete", timeout=SECONDS)
    page.keyboard.press("/")
    page.get_by_role("button", name="Regular expression").click()
    page.get_by_role("searchbox").fill("nee(dle")
    expect(page.locator(".found-status")).to_contain_text("missing )", timeout=SECONDS)
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    page.get_by_role("searchbox").fill("^19\\d00\\s(needle|straw)")
    expect(page.get_by_text("10 lines found in the whole output")).to_be_visible(timeout=SECONDS)


def test_nothing_found_is_said_of_the_whole_output(
    server: Server, open_page: Open, haystack: str
) -> None:
    page = open_page(server.url + haystack)
    search(page, "pitchfork")
    expect(page.get_by_text("No match in the whole output")).to_be_visible(timeout=SECONDS)
    expect(page.locator(".search-count")).to_have_text("no match here")


def test_what_the_page_holds_is_listed_on_request_only(server: Server, open_page: Open) -> None:
    run = server.start_run("haystack", lines=20, needle_every=10)
    server.ended(run)
    page = open_page(f"{server.url}/runs/{run}")
    search(page, "needle")
    expect(page.locator(".search-count")).to_have_text("1 of 2", timeout=SECONDS)
    expect(page.locator(".found")).to_be_hidden()
    page.get_by_role("button", name="List", exact=True).click()
    expect(results(page)).to_have_count(2, timeout=SECONDS)
    page.get_by_role("button", name="List", exact=True).click()
    expect(page.locator(".found")).to_be_hidden()


def test_what_a_run_prints_later_is_searched_on_request(server: Server, open_page: Open) -> None:
    run = server.start_run("count", lines=100_000, delay_ms=20, label="tick ")
    page = open_page(f"{server.url}/runs/{run}")
    expect(page.locator(".row-text").nth(4)).to_be_visible(timeout=SECONDS)
    page.keyboard.press("/")
    page.keyboard.type("tick")
    page.get_by_role("button", name="List", exact=True).click()
    expect(results(page).nth(4)).to_be_visible(timeout=SECONDS)
    found = results(page).count()
    page.get_by_role("button", name="Search on").click(timeout=SECONDS)
    eventually(lambda: results(page).count() > found)
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)
    listed = numbers(page)
    assert listed == list(range(1, len(listed) + 1))


def test_a_server_that_refuses_a_search_is_asked_again(
    server: Server, open_page: Open, haystack: str
) -> None:
    page = open_page(server.url + haystack)

    def refuse(route: Route) -> None:
        route.fulfill(status=503, body='{"code": "archive_unavailable", "detail": "not now"}')

    page.route("**/search?*", refuse)
    search(page, "needle")
    expect(page.locator(".found-status")).to_have_text("not now", timeout=SECONDS)
    page.unroute("**/search?*")
    page.get_by_role("button", name="Try again").click()
    expect(results(page)).to_have_count(100, timeout=SECONDS)


def test_a_search_that_takes_long_says_how_far_it_is_and_can_be_stopped(
    server: Server, open_page: Open, haystack: str
) -> None:
    page = open_page(server.url + haystack)
    held: list[Route] = []

    def answer_the_first(route: Route) -> None:
        if "after=0&" in route.request.url:
            body = {"matches": [], "next": 2_000_000, "searched": 2_000_000, "end": 8_000_000}
            route.fulfill(json=body)
        else:
            held.append(route)

    page.route("**/search?*", answer_the_first)
    search(page, "needle")
    status = page.locator(".found-status")
    expect(status).to_have_text("Searching the whole output… · 2.0 MB of 8.0 MB", timeout=SECONDS)
    bar = page.get_by_role("progressbar", name="Searched so far")
    assert bar.evaluate("each => each.value") == 0.25
    page.locator(".found").get_by_role("button", name="Stop").click()
    expect(status).to_have_text("No match in the first 2.0 MB of 8.0 MB")
    expect(page.get_by_role("button", name="Search on")).to_be_visible()
    assert len(held) == 1
    page.unroute("**/search?*")


@pytest.mark.parametrize(("item", "suffix"), [("Plain text Without", ".txt"), ("Raw", ".log")])
def test_the_output_is_downloaded_with_and_without_colours(
    server: Server, open_page: Open, tmp_path: Path, item: str, suffix: str
) -> None:
    run = server.start_run("haystack", lines=20, needle_every=10)
    server.ended(run)
    page = open_page(f"{server.url}/runs/{run}")
    menu = page.get_by_role("button", name="Download")
    menu.focus()
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    with page.expect_download() as started:
        page.get_by_role("link", name=item).click()
    assert started.value.suggested_filename.endswith(suffix)
    target = tmp_path / "output"
    started.value.save_as(target)
    raw = server.output(run)
    plain = re.sub(rb"\x1b\[\d+m", b"", raw)
    assert target.read_bytes() == (raw if suffix == ".log" else plain)
    expect(menu).to_have_attribute("aria-expanded", "false")


def test_the_menu_is_left_by_escape_and_walked_by_arrows(server: Server, open_page: Open) -> None:
    run = server.start_run("greet")
    page = open_page(f"{server.url}/runs/{run}")
    menu = page.get_by_role("button", name="Download")
    menu.click()
    expect(page.get_by_role("link", name="Plain text Without")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Raw")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).to_be_hidden()
    expect(menu).to_be_focused()
