"""The forms of jobs in a real Chromium, before a real server with jobs of every kind of field."""

from __future__ import annotations

import datetime
import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.formpages import (
    SECONDS,
    Open,
    card_of,
    paste,
    path,
    press_start,
    printed,
)
from tests.support.server import Server


def test_defaults_of_every_kind_arrive_as_the_job_has_them(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Every kind")
    expect(card.get_by_label("count")).to_have_value("3", timeout=SECONDS)
    expect(card.get_by_role("button", name="Reset to defaults")).to_be_hidden()
    expect(card.get_by_label("text", exact=True)).to_have_attribute("placeholder", "as in this")
    expect(card.get_by_label("count")).to_have_accessible_description("How many. 1 to 10,000.")
    values = printed(forms, press_start(page, "Every kind"))
    assert values == {
        "text": "",
        "notes": "first line\nsecond line",
        "count": 3,
        "ratio": 0.5,
        "verbose": False,
        "strict": None,
        "size": "M",
        "region": "Region.NORTH",
        "day": "2026-11-21",
        "hour": "13:30:00",
        "local": "2026-11-21 13:30:00",
        "moment": None,
        "names": ["Ann", "Bob"],
        "ports": [],
        "limit": None,
        "nested": {},
    }


def test_what_is_entered_in_fields_of_every_kind_arrives(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Every kind")
    card.get_by_label("text", exact=True).fill("näme 🙂")
    card.get_by_label("notes").fill("one\n\n  three")
    card.get_by_label("ratio").fill("0.25")
    card.get_by_label("verbose").check()
    card.get_by_role("radiogroup", name="strict").get_by_label("no", exact=True).check()
    card.get_by_role("radiogroup", name="size").get_by_label("L").check()
    card.get_by_label("region").select_option("not assigned to any region")
    card.get_by_label("day").fill("2025-02-03")
    card.get_by_label("hour").fill("01:02:03")
    card.get_by_label("local").fill("2024-02-29T23:59:58")
    card.get_by_label("moment").fill("2026-07-01T08:00:00")
    card.get_by_label("limit").fill("7")
    card.get_by_label("nested").fill('{"a": [1, 2]}')
    values = printed(forms, press_start(page, "Every kind"))
    moment = datetime.datetime.fromisoformat(values.pop("moment"))
    expected = page.evaluate("new Date('2026-07-01T08:00:00').getTime()")
    assert moment.timestamp() * 1000 == expected
    assert values["text"] == "näme 🙂"
    assert values["notes"] == "one\n\n  three"
    assert (values["ratio"], values["verbose"], values["strict"]) == (0.25, True, False)
    assert (values["size"], values["region"]) == ("L", "Region.NONE")
    assert (values["day"], values["hour"]) == ("2025-02-03", "01:02:03")
    assert values["local"] == "2024-02-29 23:59:58"
    assert (values["limit"], values["nested"]) == (7, {"a": [1, 2]})


def test_a_list_is_entered_by_keyboard_alone(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Every kind")
    ports = card.get_by_role("group", name="ports")
    ports.get_by_role("button", name="Add to ports").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("80")
    page.keyboard.press("Enter")  # a second row, not the start of a run
    page.keyboard.type("8x")
    page.keyboard.press("Enter")
    expect(ports.get_by_role("textbox")).to_have_count(3)
    page.keyboard.press("Backspace")  # the empty row goes
    expect(ports.get_by_role("textbox")).to_have_count(2)
    assert "/runs/" not in path(page)
    card.get_by_role("button", name="Start Every kind").click()
    expect(ports).to_have_accessible_description(
        'Up to 3 items, each 1 to 65,535. Row 2: "8x" is not a whole number.'
    )
    expect(ports.get_by_label("ports, 2", exact=True)).to_be_focused()
    page.keyboard.press("Backspace")
    page.keyboard.type("080")
    names = card.get_by_role("group", name="names")
    names.get_by_role("button", name="Remove 1 of names").click()
    expect(names.get_by_label("names, 1", exact=True)).to_be_focused()
    expect(names.get_by_label("names, 1", exact=True)).to_have_value("Bob")
    values = printed(forms, press_start(page, "Every kind"))
    assert (values["ports"], values["names"]) == ([80, 8080], ["Bob"])


def test_all_that_is_wrong_is_said_at_its_field_and_the_first_has_the_focus(
    forms: Server, open_page: Open
) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Plan")
    card.get_by_label("city").fill("")
    card.get_by_label("days").fill("99")
    card.get_by_label("days").press("Enter")
    city, days = card.get_by_label("city"), card.get_by_label("days")
    expect(city).to_be_focused()
    expect(city).to_have_attribute("aria-invalid", "true")
    expect(city).to_have_accessible_description("Up to 20 characters. Please give a value.")
    expect(days).to_have_accessible_description("1 to 14. Must be 1 to 14, not 99.")
    assert "/runs/" not in path(page)
    city.fill("Oslo")
    expect(city).not_to_have_attribute("aria-invalid", "true")
    days.fill("14")
    assert printed(forms, press_start(page, "Plan"))["days"] == 14


def test_a_text_without_a_default_is_not_taken_while_it_is_empty(
    forms: Server, open_page: Open
) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Sign in")
    user = card.get_by_label("user")
    expect(user).to_have_attribute("required", "", timeout=SECONDS)
    expect(card.locator(".is-required")).to_have_count(2)  # the password too
    card.get_by_label("password", exact=True).fill("a long secret")
    card.get_by_role("button", name="Start Sign in").click()
    expect(user).to_be_focused()
    expect(user).to_have_accessible_description("Please give a value.")
    assert "/runs/" not in path(page)
    user.fill("ann")
    assert printed(forms, press_start(page, "Sign in"))["user"] == "ann"


def test_what_the_server_refuses_is_said_in_the_card_and_nothing_typed_is_lost(
    forms: Server, open_page: Open
) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Picky")
    card.get_by_label("even").fill("4")
    card.get_by_label("other").fill("a\0b")  # what no schema tells
    card.get_by_role("button", name="Start Picky").click()
    expect(card.get_by_role("alert")).to_contain_text("other must be", timeout=SECONDS)
    expect(card.get_by_label("other")).to_be_focused()
    expect(card.get_by_label("other")).to_have_attribute("aria-invalid", "true")
    expect(card.get_by_label("even")).to_have_value("4")
    card.get_by_label("other").fill("ab")
    assert printed(forms, press_start(page, "Picky")) == {"even": 4, "other": "ab"}
    expect(card.get_by_role("alert")).to_be_hidden()


def test_a_secret_is_never_shown_kept_or_offered_again(forms: Server, open_page: Open) -> None:
    secret = "correct horse battery"
    page = open_page(forms.url)
    card = card_of(page, "Sign in")
    field = card.get_by_label("password", exact=True)
    card.get_by_label("user").fill("ann")
    field.fill(secret)
    expect(field).to_have_attribute("type", "password")
    toggle = card.get_by_role("button", name="Show password")
    toggle.click()
    expect(field).to_have_attribute("type", "text")
    toggle.click()
    expect(field).to_have_attribute("type", "password")
    run = press_start(page, "Sign in")
    assert printed(forms, run)["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    expect(field).to_have_value("")
    assert secret not in page.evaluate(
        "JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"
    )
    assert secret not in page.url
    assert secret not in page.content()
    page.reload()
    expect(card.get_by_label("user")).to_have_value("ann", timeout=SECONDS)
    expect(field).to_have_value("")


def test_a_secret_that_is_too_short_to_be_masked_says_so(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Sign in")
    field = card.get_by_label("password", exact=True)
    field.press_sequentially("1234567")
    expect(field).to_have_accessible_description(re.compile("it is not masked in the output"))
    expect(field).not_to_have_attribute("aria-invalid", "true")
    field.press_sequentially("8")
    expect(field).to_have_accessible_description("")
    field.press("Backspace")
    card.get_by_label("user").fill("ann")
    press_start(page, "Sign in")  # it is taken, and then gone
    expect(field).to_have_value("", timeout=SECONDS)
    expect(field).to_have_accessible_description("")


def test_a_secret_of_several_lines_is_refused_rather_than_joined(
    forms: Server, open_page: Open
) -> None:
    page = open_page(forms.url)
    field = card_of(page, "Sign in").get_by_label("password", exact=True)
    field.focus()
    paste(page, "first\nsecond")
    expect(field).to_have_accessible_description(
        "A secret has one line; what was pasted has several."
    )
    expect(field).to_have_value("")
    field.fill("one line")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_lines_that_are_pasted_into_a_list_become_its_rows(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    stops = card_of(page, "Journal").get_by_role("group", name="stops")
    stops.get_by_role("button", name="Add to stops").click()
    paste(page, "Cid\n  Dee  \n\nEve\n")
    page.keyboard.press("Enter")
    page.keyboard.type("Fay")
    rows = stops.get_by_role("textbox")
    expect(rows).to_have_count(4)
    assert [row.input_value() for row in rows.all()] == ["Cid", "Dee", "Eve", "Fay"]


def test_a_card_tells_bounds_and_how_the_job_runs(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    expect(card_of(page, "Bounded").locator(".job-facts")).to_have_text(
        "at most 60 s, 16 MiB output, 2 at once; others wait", timeout=SECONDS
    )
    expect(card_of(page, "Boxed").locator(".job-facts")).to_have_text(
        "own process · at most 90 min, 30 s CPU, 512 MiB memory, 1 per user at once; others wait"
    )
    expect(card_of(page, "Plan").locator(".job-facts")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
def test_of_many_jobs_that_cannot_be_loaded_all_can_be_seen(
    tmp_path: Path, open_page: Open, width: int
) -> None:
    jobs, home = tmp_path / "jobs", tmp_path / "server"
    jobs.mkdir()
    home.mkdir()
    for number in range(18):
        (jobs / f"faulty_{number:02}.py").write_text("import no_such_module_anywhere\n", "utf-8")
    with Server(home, JOBS_PATH=str(jobs)) as server:
        page = open_page("about:blank")
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(server.url)
        notice = page.get_by_role("region", name="What could not be loaded")
        more = notice.get_by_role("button", name=re.compile(r"^\d+ more: show all 18$"))
        expect(more).to_be_visible(timeout=SECONDS)
        seen = notice.get_by_role("listitem")
        assert seen.count() == 18 - int(more.inner_text().split()[0]) > 0
        more.press("Enter")
        expect(seen).to_have_count(18)
        seen.last.scroll_into_view_if_needed()
        expect(seen.last).to_be_in_viewport()
        fewer = notice.get_by_role("button", name="Show fewer")
        expect(fewer).to_be_focused()
        fewer.press("Enter")
        expect(more).to_be_visible()


def test_jobs_that_cannot_be_loaded_are_named_line_by_line_and_found_again(
    forms: Server, open_page: Open
) -> None:
    page = open_page(forms.url)
    notice = page.get_by_role("region", name="What could not be loaded")
    faults = notice.get_by_role("listitem")
    expect(faults).to_have_count(2, timeout=SECONDS)
    expect(faults.first).to_contain_text("unloaded.py:3")
    expect(faults.first).to_contain_text("no_such_module_anywhere")
    expect(faults.last).to_contain_text("wrong_default.py")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_be_hidden()
    found = page.get_by_role("button", name="2 not loaded")
    expect(found).to_be_focused()
    page.keyboard.press("Enter")
    expect(notice).to_be_visible()
    expect(found).to_have_attribute("aria-expanded", "true")
    notice.get_by_role("button", name="Dismiss").click()
    page.reload()
    expect(found).to_be_visible(timeout=SECONDS)
    expect(notice).to_be_hidden()
