"""The page's list of all runs, in a real Chromium, before a real server with some hundred runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from flask_realtime import history
from flask_realtime.runs import Run, RunIds, timestamp
from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets
PAST = 230
ENDS = {
    "succeeded": {"code": 0, "reason": "finished"},
    "failed": {"code": 1, "reason": "LookupError: no such thing"},
    "stopped": {"code": None, "reason": "stopped"},
    "lost": {"code": None, "reason": "its server is gone"},
}

Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with PAST runs of the last weeks; the newest is number 0, every fourth failed."""
    with Server(tmp_path_factory.mktemp("server")) as server:
        user = server.run_record(server.start_run("greet"))["user"]
        client = server.redis_client()
        for number in range(PAST):
            history.add(client, past_run(number, user), 20)
        client.close()
        yield server


def past_run(number: int, user: str) -> Run:
    at = datetime.now(timezone.utc) - timedelta(hours=number + 1)
    state = list(ENDS)[number % len(ENDS)]
    return Run(
        id=RunIds(lambda: int(at.timestamp() * 1e9)).new(),
        job="count" if number % 2 else "retired",
        params={"label": f"past {number}"},
        user=user,
        executor="thread",
        isolation="thread",
        owner="gone",
        state=state,
        created=timestamp(at),
        started=timestamp(at),
        ended=timestamp(at + timedelta(seconds=75)),
        exit=ENDS[state],
        output_bytes=4_200_000,
        output_lines=1234,
        output_removed=number == 6,
    )


def address(page: Page) -> str:
    asked: str = page.evaluate("location.pathname + location.search")
    return asked


def rows(page: Page) -> Locator:
    return page.get_by_role("table").get_by_role("row").filter(has=page.get_by_role("rowheader"))


def expect_rows(page: Page, count: int) -> None:
    expect(rows(page)).to_have_count(count, timeout=SECONDS)


def test_a_run_is_told_with_how_it_ended_and_how_much_it_printed(
    past: Server, open_page: Open
) -> None:
    page = open_page(past.url)
    page.get_by_role("link", name="All runs").click()
    row = rows(page).filter(has=page.get_by_role("cell", name="label=past 1", exact=True))
    for text in ("Count", "1:15", "failed", "LookupError: no such thing", "4.2 MB", "1,234"):
        expect(row).to_contain_text(text)
    assert address(page) == "/runs"
    expect(page.get_by_role("heading", name="All runs")).to_be_visible()
    assert page.title().startswith("All runs")


def test_of_a_run_whose_output_was_removed_that_is_said(past: Server, open_page: Open) -> None:
    page = open_page(f"{past.url}/runs?job=retired")
    expect(page.get_by_role("cell", name="removed", exact=True)).to_have_count(1, timeout=SECONDS)
    row = rows(page).filter(has=page.get_by_role("cell", name="label=past 6", exact=True))
    expect(row).to_contain_text("removed")
    expect(row).to_contain_text("4.2 MB")
    row.get_by_role("link").click()
    expect(page.locator(".run-facts")).to_contain_text("no longer kept")


def test_older_runs_come_on_request_until_there_are_no_more(past: Server, open_page: Open) -> None:
    page = open_page(f"{past.url}/runs?state=failed")
    failed = len([number for number in range(PAST) if number % 4 == 1])
    expect_rows(page, 50)
    page.get_by_role("button", name="Load more").focus()
    page.keyboard.press("Enter")
    expect_rows(page, failed)
    expect(page.get_by_role("button", name="Load more")).to_be_hidden()
    expect(page.get_by_text(f"{failed} runs, these are all").first).to_be_visible()
    numbers = [int(text.split()[-1]) for text in page.locator("td.past-params").all_inner_texts()]
    assert numbers == sorted(numbers)
    # Whoever pressed the button goes on where it was.
    assert "past-link" in page.evaluate("document.activeElement.className")


def test_filters_are_in_the_address_and_back_undoes_them(past: Server, open_page: Open) -> None:
    page = open_page(f"{past.url}/runs")
    expect_rows(page, 50)
    page.get_by_label("Job").select_option("retired")
    page.get_by_label("State").focus()
    page.get_by_label("State").select_option("succeeded")
    expect(page.get_by_label("State")).to_be_focused()
    assert address(page) == "/runs?job=retired&state=succeeded"
    expect(rows(page).filter(has_text="count")).to_have_count(0)
    page.go_back()
    assert address(page) == "/runs?job=retired"
    expect(page.get_by_label("State")).to_have_value("")
    expect(rows(page).filter(has_text="lost")).to_have_count(0)
    page.go_forward()
    page.reload()
    expect(page.get_by_label("Job")).to_have_value("retired")
    expect(page.get_by_label("State")).to_have_value("succeeded")
    page.get_by_role("button", name="Show all").click()
    assert address(page) == "/runs"
    expect(rows(page).filter(has_text="lost").first).to_be_visible()


def test_runs_of_several_users_say_whose_they_are_and_are_filtered_by_user(
    past: Server, open_page: Open
) -> None:
    """Today the server shows a user his own runs only, so its answer is changed on the way."""

    def of_two(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for number, run in enumerate(body["runs"]):
            run["user"] = "ann@example.org" if number % 2 else "bob@example.org"
        route.fulfill(response=answer, json=body)

    page = open_page(past.url)
    expect(page.get_by_label("User")).to_be_hidden()
    page.route("**/api/runs?*", of_two)
    page.goto(f"{past.url}/runs")
    expect(page.get_by_role("columnheader", name="User")).to_be_visible(timeout=SECONDS)
    page.get_by_label("User").select_option("ann@example.org")
    assert address(page) == "/runs?user=ann%40example.org"
    expect(rows(page).filter(has_text="bob@example.org")).to_have_count(0)


def test_nothing_like_that_is_said(past: Server, open_page: Open) -> None:
    page = open_page(f"{past.url}/runs?job=no_such_job")
    expect(page.get_by_text("No run is like that.").first).to_be_visible(timeout=SECONDS)
    expect(page.get_by_label("Job")).to_have_value("no_such_job")


def test_a_run_starts_and_ends_in_the_list_while_it_is_looked_at(
    past: Server, open_page: Open
) -> None:
    everything = open_page(f"{past.url}/runs")
    running = open_page(f"{past.url}/runs?state=running")
    for page in (everything, running):
        expect(page.locator(".connection")).to_have_attribute("data-state", "connected")
    expect(running.get_by_text("No run is like that.").first).to_be_visible()
    run = past.start_run("count", lines=100_000, delay_ms=5)
    first = rows(everything).first
    expect(first).to_contain_text("running")
    expect(first.get_by_role("link")).to_have_attribute("href", f"/runs/{run}")
    expect_rows(running, 1)
    # No event tells how much it prints: the page asks now and then.
    eventually(lambda: first.locator(".past-lines").inner_text() not in ("", "0"))
    past.post(f"/api/runs/{run}/stop")
    expect(first).to_contain_text("stopped", timeout=SECONDS)
    expect_rows(running, 0)


def test_a_run_opens_by_keyboard_and_back_leads_to_where_the_list_was(
    past: Server, open_page: Open
) -> None:
    page = open_page(f"{past.url}/runs")
    expect_rows(page, 50)
    page.get_by_role("button", name="Load more").click()
    expect_rows(page, 100)
    rows(page).nth(70).get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    scrolled = eventually(
        lambda: page.evaluate("document.querySelector('.history-scroller').scrollTop")
    )
    page.keyboard.press("Enter")
    expect(page.locator(".run-header")).to_be_visible()
    assert address(page) == rows_link(page)
    page.go_back()
    expect_rows(page, 100)
    assert page.evaluate("document.querySelector('.history-scroller').scrollTop") == scrolled


def rows_link(page: Page) -> str:
    """The run that the page shows, as its list of runs or its address would name it."""
    run = page.evaluate("location.pathname.split('/').pop()")
    return f"/runs/{run}"


def test_runs_that_started_without_a_connection_are_there_after_it(
    own_server: Server, open_page: Open
) -> None:
    page = open_page(f"{own_server.url}/runs")
    expect(page.get_by_text("Nothing has run yet").first).to_be_visible()
    page.context.set_offline(True)
    own_server.stop()
    own_server.start()
    run = own_server.start_run("greet")
    own_server.ended(run)
    page.context.set_offline(False)
    expect(rows(page).get_by_role("link")).to_have_attribute(
        "href", f"/runs/{run}", timeout=SECONDS
    )


def test_a_list_that_cannot_be_loaded_says_why_and_is_asked_for_again(
    past: Server, open_page: Open
) -> None:
    page = open_page(past.url)
    answer = {"status": 503, "body": '{"detail": "Redis does not answer"}'}
    page.route("**/api/runs?*", lambda route: route.fulfill(**answer))
    page.get_by_role("link", name="All runs").click()
    expect(page.locator(".history").get_by_role("alert")).to_contain_text("Redis does not answer")
    page.unroute("**/api/runs?*")
    page.get_by_role("button", name="Try again").click()
    expect_rows(page, 50)


def test_a_narrow_page_shows_all_of_a_run_and_scrolls_nothing_sideways(
    past: Server, open_page: Open
) -> None:
    page = open_page(past.url)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{past.url}/runs")
    row = rows(page).filter(has=page.get_by_role("cell", name="label=past 1", exact=True))
    for text in ("Count", "failed", "LookupError", "4.2 MB", "label=past 1"):
        expect(row.get_by_text(text).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    scroller = page.locator(".history-scroller")
    assert scroller.evaluate("each => each.scrollWidth - each.clientWidth") == 0
