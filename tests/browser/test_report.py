"""Why a run is silent: its report in a real Chromium, before a real server."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]
GOING = ROOT / "tests" / "programs" / "pagejobs" / "going.py"


def line_of(code: str) -> int:
    """Number of the line of going.py that has this."""
    lines = GOING.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if code in line)


def report(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^What the run (does now|did)$"))


def ask(page: Page) -> None:
    page.get_by_role("toolbar", name="Output").get_by_role("button", name="silent").click()


def test_a_sleeping_run_says_in_which_line(going: Server, open_page: Open) -> None:
    run = going.start_run("keeps_still")
    page = open_page(f"{going.url}/runs/{run}")
    eventually(lambda: "still" in page.locator(".row-text").all_inner_texts(), 60)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page)
    place = f"line {line_of('# here it sleeps')} of going.py: time.sleep(3600)"
    expect(report(page).get_by_role("status")).to_contain_text(
        f"It sleeps in {place}", timeout=SECONDS
    )
    expect(report(page)).to_contain_text("It had printed nothing for")
    processes = report(page).get_by_role("table")
    expect(processes.get_by_role("row")).to_have_count(2)  # the head, and the job's own
    expect(processes).to_contain_text("sleeping")
    # The innermost line is there at once, what led to it on demand.
    thread = report(page).locator("details").first
    expect(thread.locator("summary")).to_contain_text(place)
    expect(thread.get_by_text("in keeps_still")).to_be_hidden()
    thread.locator("summary").press("Enter")
    expect(thread.get_by_text("in keeps_still")).to_be_visible()
    report(page).get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert run in copied
    assert f"It sleeps in {place}" in copied
    assert re.search(r"rest\n +time\.sleep\(3600\)", copied)
    refresh = report(page).get_by_role("button", name="Refresh")
    refresh.click()
    expect(refresh).not_to_have_attribute("aria-disabled", "true", timeout=SECONDS)
    going.post(f"/api/runs/{run}/stop", {"force": True})
    expect(refresh).to_have_attribute("title", "The run is not running", timeout=SECONDS)
    # It stays to be read, and does not say that this is so now.
    expect(report(page).get_by_role("status")).to_contain_text(
        f"Before it ended: it sleeps in {place}"
    )
    expect(page.get_by_role("region", name="What the run did")).to_be_visible()
    report(page).get_by_role("button", name="Close the report").click()
    expect(report(page)).to_be_hidden()


def test_a_run_that_asks_says_so_first(going: Server, open_page: Open) -> None:
    run = going.start_run("greets")
    page = open_page(f"{going.url}/runs/{run}")
    expect(page.get_by_label("First name:")).to_be_visible(timeout=SECONDS)
    ask(page)
    answer = report(page).get_by_role("status")
    expect(answer).to_contain_text("It waits for input: “First name:”", timeout=SECONDS)
    report(page).get_by_role("button", name="Refresh").focus()
    page.keyboard.press("Escape")
    expect(report(page)).to_be_hidden()
    expect(page.get_by_role("button", name="silent")).to_be_focused()
    going.post(f"/api/runs/{run}/stop", {"force": True})


def test_a_computing_run_says_how_much(going: Server, open_page: Open) -> None:
    run = going.start_run("computes")
    page = open_page(f"{going.url}/runs/{run}")
    eventually(lambda: "computing" in page.locator(".row-text").all_inner_texts(), 60)
    ask(page)
    answer = report(page).get_by_role("status")
    expect(answer).to_contain_text(re.compile(r"It computes: \d+ % of a core"), timeout=SECONDS)
    going.post(f"/api/runs/{run}/stop", {"force": True})


def test_the_report_is_offered_after_half_a_minute_of_silence(
    going: Server, open_page: Open
) -> None:
    run = going.start_run("keeps_still")
    page = open_page("about:blank")
    page.clock.install()
    page.goto(f"{going.url}/runs/{run}")
    eventually(lambda: "still" in page.locator(".row-text").all_inner_texts(), 60)
    offer = page.get_by_role("button", name="Why is it silent?")
    expect(offer).not_to_have_class(re.compile("is-offered"))
    page.clock.fast_forward(40_000)
    expect(offer).to_have_class(re.compile("is-offered"), timeout=SECONDS)
    expect(page.locator(".run-header")).to_contain_text(re.compile(r"silent for \d\d s"))
    going.post(f"/api/runs/{run}/stop", {"force": True})
    expect(offer).to_be_hidden(timeout=SECONDS)
