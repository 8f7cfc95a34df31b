"""Runs that wait in line and runs that are ended, in a real Chromium, before a real server."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]


def header(page: Page) -> Locator:
    return page.locator(".run-header")


def tools(page: Page) -> Locator:
    return page.get_by_role("toolbar", name="Output")


def expect_state(page: Page, state: str) -> None:
    chip = header(page).locator(".chip")
    expect(chip).to_have_attribute("data-state", state, timeout=SECONDS)


def test_a_run_in_line_tells_its_place_and_moves_up(going: Server, open_page: Open) -> None:
    runs = [going.start_run("one_at_a_time") for _ in range(4)]
    page = open_page(f"{going.url}/runs/{runs[3]}")
    expect(header(page)).to_contain_text("waiting, 3rd in line", timeout=SECONDS)
    expect(page.get_by_text("It waits until it may begin.")).to_be_visible()
    expect(page.locator(".run-row").filter(has_text="waiting, 2nd in line").first).to_be_visible()
    going.post(f"/api/runs/{runs[0]}/stop")
    expect(header(page)).to_contain_text("waiting, 2nd in line", timeout=SECONDS)
    past = open_page(f"{going.url}/runs")
    row = past.get_by_role("row").filter(has=past.locator(f'a[href*="{runs[3]}"]'))
    expect(row).to_contain_text("waiting, 2nd in line", timeout=SECONDS)
    # One before it is cancelled where it stands in the list of its job.
    queued = page.locator(".job .run-row").filter(has_text="waiting, 1st in line")
    queued.get_by_role("button", name="Cancel").click()
    expect(header(page)).to_contain_text("waiting, 1st in line", timeout=SECONDS)
    going.post(f"/api/runs/{runs[1]}/stop")
    expect_state(page, "running")
    expect(header(page)).not_to_contain_text("in line")
    tools(page).get_by_role("button", name="Stop").click()
    expect_state(page, "stopped")


def test_a_run_in_line_is_cancelled_by_the_button_that_would_stop_it(
    going: Server, open_page: Open
) -> None:
    first, second = going.start_run("one_at_a_time"), going.start_run("one_at_a_time")
    page = open_page(f"{going.url}/runs/{second}")
    expect(tools(page).get_by_role("button", name="Stop")).to_have_count(0)
    tools(page).get_by_role("button", name="Cancel").click()
    expect_state(page, "stopped")
    expect(header(page)).to_contain_text("before it began")
    assert going.run_record(first)["state"] == "running"
    going.post(f"/api/runs/{first}/stop")


def test_a_stop_that_is_ignored_counts_down_and_says_what_it_ended(
    going: Server, open_page: Open
) -> None:
    run = going.start_run("stubborn")
    page = open_page(f"{going.url}/runs/{run}")
    eventually(lambda: page.locator(".row-text").all_inner_texts().count("child") == 2, 60)
    tools(page).get_by_role("button", name="Stop").click()
    expect(header(page)).to_contain_text(
        re.compile(r"asking… \d s until it is ended by force"), timeout=SECONDS
    )
    expect_state(page, "stopped")
    expect(header(page)).to_contain_text(re.compile(r"\d processes ended, 0 left"))
    expect(page.get_by_role("alert").filter(has_text="left")).to_have_count(0)


def test_force_need_not_wait_for_the_time_to_be_over(going: Server, open_page: Open) -> None:
    run = going.start_run("patient")
    page = open_page(f"{going.url}/runs/{run}")
    eventually(lambda: "ready" in page.locator(".row-text").all_inner_texts(), 60)
    tools(page).get_by_role("button", name="Stop").click()
    expect(header(page)).to_contain_text("until it is ended by force", timeout=SECONDS)
    tools(page).get_by_role("button", name="Force").click(timeout=SECONDS)
    expect_state(page, "stopped")  # its grace is longer than anybody waits


def test_a_broken_bound_is_told_as_the_reason(going: Server, open_page: Open) -> None:
    run = going.start_run("too_long")
    page = open_page(f"{going.url}/runs/{run}")
    expect_state(page, "failed")
    expect(header(page)).to_contain_text("it took longer than 1 s (timeout)")


def test_a_broken_bound_is_told_while_the_run_is_stopping(going: Server, open_page: Open) -> None:
    run = going.start_run("overstays")
    page = open_page(f"{going.url}/runs/{run}")
    why = "it took longer than 1 s (timeout)"
    expect_state(page, "stopping")
    expect(header(page)).to_contain_text(f"{why} · asking… ")
    note = page.locator(".run-row .run-note").filter(has_text="timeout").first
    expect(note).to_have_attribute("title", why)
    page.goto(f"{going.url}/runs")
    expect(page.get_by_role("row").filter(has_text="Overstays")).to_contain_text(
        why, timeout=SECONDS
    )
    going.post(f"/api/runs/{run}/stop", {"force": True})
    assert going.ended(run)["state"] == "failed"


def test_processes_that_are_left_are_an_alarm(going: Server, open_page: Open) -> None:
    run = going.start_run("keeps_still")
    going.post(f"/api/runs/{run}/stop", {"force": True})
    going.ended(run)
    # No process that the tests could leave behind is one that the server cannot end.
    page = open_page(going.url)

    def tampered(route):  # type: ignore[no-untyped-def]
        answer = route.fetch()
        body = answer.json()
        for each in body["runs"]:
            if each["id"] == run:
                each["processes"] = {"ended": 3, "left": 1}
        route.fulfill(response=answer, json=body)

    page.route("**/api/runs?*", tampered)
    page.goto(f"{going.url}/runs")
    row = page.get_by_role("row").filter(has=page.locator(f'a[href*="{run}"]'))
    expect(row.locator(".is-alarm")).to_contain_text("1 process left", timeout=SECONDS)
