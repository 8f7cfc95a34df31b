"""Answering what a run asks, in a real Chromium, before a real server with jobs that ask."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]


@pytest.fixture
def watch(going: Server, open_page: Open) -> Callable[..., tuple[Page, str]]:
    """Starts a run of a job and opens its page."""

    def started(job: str) -> tuple[Page, str]:
        run = going.start_run(job)
        return open_page(f"{going.url}/runs/{run}"), run

    return started


Watch = Callable[..., tuple[Page, str]]


def line(page: Page) -> Locator:
    return page.get_by_role("form", name="Input for the job")


def shown(page: Page) -> str:
    return "\n".join(page.locator(".row-text").all_inner_texts())


def expect_asked(page: Page, prompt: str) -> Locator:
    """Wait until the page asks this; return the field for the answer."""
    field = page.get_by_label(prompt, exact=True)
    expect(field).to_be_visible(timeout=SECONDS)
    return field


def expect_state(page: Page, state: str) -> None:
    chip = page.locator(".run-header .chip")
    expect(chip).to_have_attribute("data-state", state, timeout=SECONDS)


def stored(page: Page) -> str:
    """All that the page leaves with the browser."""
    return json.dumps(
        page.evaluate("[{...localStorage}, {...sessionStorage}, location.href, history.state]")
    )


def test_two_questions_are_answered_by_keyboard_alone(watch: Watch, going: Server) -> None:
    page, run = watch("greets")
    expect(expect_asked(page, "First name:")).to_be_focused()
    expect(page.locator(".run-header")).to_contain_text("waits for input")
    page.keyboard.type("Ann")
    page.keyboard.press("Enter")
    expect(expect_asked(page, "Last name:")).to_be_focused()
    page.keyboard.type("Lee")
    page.keyboard.press("Enter")
    expect_state(page, "succeeded")
    eventually(lambda: "Hello Ann Lee" in shown(page))
    expect(line(page)).to_be_hidden()
    expect(page.locator(".waits:visible")).to_have_count(0)
    assert b"Hello Ann Lee" in going.output(run)


def test_a_job_in_a_thread_of_the_server_is_answered_as_well(watch: Watch) -> None:
    page, _ = watch("asks_in_thread")
    expect_asked(page, "Your name:").fill("Ann")
    page.get_by_role("button", name="Send", exact=True).click()
    expect_state(page, "succeeded")
    eventually(lambda: "Hello Ann" in shown(page))


def test_a_hidden_answer_is_seen_and_kept_nowhere(watch: Watch, going: Server) -> None:
    page, run = watch("unlocks")
    field = expect_asked(page, "Password:")
    expect(field).to_have_attribute("type", "password")
    expect(field).to_be_focused()
    page.keyboard.type("tr0ub4dor")
    page.keyboard.press("Enter")
    opened = expect_asked(page, "Open:")
    expect(opened).to_be_focused()
    eventually(lambda: "9 characters" in shown(page))
    for text in (page.content(), stored(page), shown(page)):
        assert "tr0ub4dor" not in text
    values = page.locator("input, textarea").evaluate_all("all => all.map((each) => each.value)")
    assert "tr0ub4dor" not in values
    assert b"tr0ub4dor" not in going.output(run)
    assert "tr0ub4dor" not in json.dumps(going.run_record(run))
    opened.fill("yes")
    opened.press("Enter")
    expect_state(page, "succeeded")


def test_lines_pasted_into_a_hidden_field_are_refused_and_not_made_one(
    watch: Watch, going: Server
) -> None:
    page, run = watch("unlocks")
    field = expect_asked(page, "Password:")
    paste = """(field, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text", text);
        const event = { clipboardData, bubbles: true, cancelable: true };
        return field.dispatchEvent(new ClipboardEvent("paste", event));
    }"""
    assert not field.evaluate(paste, "first\nsecond")
    expect(line(page).get_by_role("alert")).to_contain_text("it has 2 lines")
    assert field.evaluate(paste, "first\n")  # the browser's own
    going.post(f"/api/runs/{run}/stop", {"force": True})
    expect_state(page, "stopped")


def test_lines_pasted_at_once_arrive_whole_and_the_button_ends_the_input(
    watch: Watch, going: Server
) -> None:
    page, run = watch("sorts")
    field = expect_asked(page, "Input")
    field.focus()
    page.keyboard.insert_text("pear\napple\nfig")
    expect(field).to_have_value("pear\napple\nfig")
    page.keyboard.press("Enter")
    expect(field).to_have_value("")
    page.get_by_role("button", name="End of input").click()
    expect_state(page, "succeeded")
    assert b"apple fig pear" in going.output(run)


def test_a_question_takes_the_focus_from_nobody_who_types(watch: Watch, going: Server) -> None:
    page, _ = watch("greets")
    first = expect_asked(page, "First name:")
    page.keyboard.press("Tab")  # the browser's own: to Send
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    page.get_by_role("button", name="Search", exact=True).click()
    search = page.locator(".search-input")
    expect(search).to_be_focused()
    first.evaluate("(field) => { field.value = 'Ann'; }")
    first.dispatch_event("input")
    page.locator("form.answer").evaluate("(form) => form.requestSubmit()")
    expect_asked(page, "Last name:")
    expect(search).to_be_focused()


def test_an_answer_to_a_run_that_has_ended_is_told_and_kept(watch: Watch, going: Server) -> None:
    page, run = watch("greets")
    expect_asked(page, "First name:").fill("Ann and her long story")
    going.post(f"/api/runs/{run}/stop", {"force": True})
    expect_state(page, "stopped")
    expect(line(page).get_by_role("alert")).to_contain_text("was not sent")
    expect(line(page).locator("textarea")).to_have_value("Ann and her long story")
    send = page.get_by_role("button", name="Send", exact=True)
    expect(send).to_have_attribute("title", "The run has ended")
    line(page).get_by_role("button", name="Close").click()
    expect(line(page)).to_be_hidden()


def test_input_is_sent_to_a_run_that_is_not_known_to_wait(watch: Watch, going: Server) -> None:
    page, run = watch("busy_reader")
    eventually(lambda: "tick" in shown(page))
    page.get_by_role("button", name="Send input").click()
    field = page.get_by_label("Input", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("now")
    page.keyboard.press("Enter")
    expect_state(page, "succeeded")
    assert b"got now" in going.output(run)


def test_rows_and_the_title_say_that_a_run_asks(
    watch: Watch, going: Server, open_page: Open
) -> None:
    page, run = watch("greets")
    expect_asked(page, "First name:")
    assert "waits for input" in page.title()
    link = page.locator(".run-row").filter(has_text="waits for input")
    expect(link.first).to_be_visible()
    past = open_page(f"{going.url}/runs")
    row = past.get_by_role("row").filter(has=past.locator(f'a[href*="{run}"]'))
    badge = row.get_by_text("waits for input", exact=True)
    expect(badge).to_be_visible(timeout=SECONDS)
    going.post(f"/api/runs/{run}/stop", {"force": True})
    expect(badge).to_be_hidden(timeout=SECONDS)
    expect_state(page, "stopped")
    assert "waits for input" not in page.title()
