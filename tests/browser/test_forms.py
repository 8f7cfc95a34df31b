"""The forms of jobs in a real Chromium, before a real server with jobs of every kind of field."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_login import log_in
from tests.browser.test_page import expect_state, lines
from tests.support.server import ROOT, Server, eventually

SECONDS = 20_000  # ms that a page gets

Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the jobs of formjobs."""
    jobs = ROOT / "tests" / "programs" / "formjobs"
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, JOBS_PATH=str(jobs), MAX_UPLOAD_MIB="2") as server:
        yield server


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


def test_a_form_begins_with_the_last_run_and_can_be_reset(forms: Server, open_page: Open) -> None:
    forms.start_run("plan", city="Bergen", days=5, pace="fast", stops=["Voss", "Finse"])
    page = open_page(forms.url)
    card = card_of(page, "Plan")
    expect(card.get_by_label("city")).to_have_value("Bergen", timeout=SECONDS)
    expect(card.get_by_label("days")).to_have_value("5")
    expect(card.get_by_label("fast")).to_be_checked()
    expect(card.get_by_label("stops, 2", exact=True)).to_have_value("Finse")
    expect(card.get_by_text("As in your last run")).to_be_visible()
    card.get_by_role("button", name="Reset to defaults").click()
    expect(card.get_by_label("city")).to_have_value("")
    expect(card.get_by_label("city")).to_be_focused()
    expect(card.get_by_label("days")).to_have_value("3")
    expect(card.get_by_label("slow")).to_be_checked()
    expect(card.get_by_role("group", name="stops").get_by_role("textbox")).to_have_count(0)
    expect(card.get_by_role("button", name="Reset to defaults")).to_be_hidden()


def test_a_value_that_its_field_would_change_is_left_out(forms: Server, open_page: Open) -> None:
    forms.start_run("picky", even=6, other="two\nlines")
    page = open_page(forms.url)
    card = card_of(page, "Picky")
    expect(card.get_by_label("even")).to_have_value("6", timeout=SECONDS)
    expect(card.get_by_label("other")).to_have_value("x")


def test_a_value_that_the_job_does_not_take_any_more_is_left_out(
    forms: Server, open_page: Open
) -> None:
    run = forms.start_run("plan", city="Bergen", days=5)
    forms.ended(run)
    page = open_page("about:blank")

    def aged(route: Any) -> None:
        """The run as if the job had taken more days then."""
        answer = route.fetch()
        body = answer.json()
        for record in body["runs"]:
            if record["id"] == run:
                record["params"]["days"] = 99
        route.fulfill(response=answer, json=body)

    page.route("**/api/runs?*", aged)
    page.goto(forms.url)
    card = card_of(page, "Plan")
    expect(card.get_by_label("city")).to_have_value("Bergen", timeout=SECONDS)
    expect(card.get_by_label("days")).to_have_value("3")


def test_a_last_run_that_is_not_among_the_newest_is_asked_for_when_its_card_is_seen(
    forms: Server, open_page: Open
) -> None:
    forms.start_run("plan", city="Vardø", days=4)
    page = open_page("about:blank")
    asked: list[str] = []
    page.route("**/api/runs?limit=50", lambda route: route.fulfill(json={"runs": [], "next": "0"}))
    page.on("request", lambda each: asked.append(each.url) if "job=plan" in each.url else None)
    page.set_viewport_size({"width": 1000, "height": 300})
    page.goto(forms.url)
    expect(page.get_by_text("Nothing has run yet.")).to_have_count(1, timeout=SECONDS)
    card = card_of(page, "Plan")
    expect(card.get_by_label("days")).to_have_value("3")
    card.scroll_into_view_if_needed()
    expect(card.get_by_label("city")).to_have_value("Vardø", timeout=SECONDS)
    expect(card.get_by_label("days")).to_have_value("4")
    assert len(asked) == 1
    assert "user=local" in asked[0]


def test_what_is_being_typed_is_not_overwritten_by_the_last_run(
    forms: Server, open_page: Open
) -> None:
    forms.start_run("plan", city="Bergen", days=5)
    page = open_page("about:blank")
    held: list[Any] = []
    page.route("**/api/runs?*", lambda route: held.append(route))
    page.goto(forms.url)
    card = card_of(page, "Plan")
    card.get_by_label("city").fill("Tromsø")
    eventually(lambda: page.evaluate("true") and held)  # routes are taken while the page is asked
    for route in held:
        route.continue_()
    expect(page.locator(".run-list .run-row").first).to_be_visible(timeout=SECONDS)
    expect(card.get_by_label("city")).to_have_value("Tromsø")
    expect(card.get_by_label("days")).to_have_value("3")


def test_what_is_being_typed_outlives_a_server_that_comes_back_with_other_jobs(
    tmp_path: Path, open_page: Open
) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    signature = "from flask_realtime import job\n@job\ndef {name}(running, city: str{more}): ...\n"
    (jobs / "kept.py").write_text(signature.format(name="kept", more=""))
    (jobs / "grown.py").write_text(signature.format(name="grown", more=""))
    with Server(tmp_path, JOBS_PATH=str(jobs)) as server:
        page = open_page(server.url)
        for title in ("Kept", "Grown"):
            card_of(page, title).get_by_label("city").fill(f"Oslo of {title}")
        (jobs / "grown.py").write_text(signature.format(name="grown", more=", days: int = 3"))
        server.restart()
        grown = card_of(page, "Grown")
        expect(grown.get_by_label("days")).to_have_value("3", timeout=SECONDS)
        expect(grown.get_by_label("city")).to_have_value("Oslo of Grown")
        expect(card_of(page, "Kept").get_by_label("city")).to_have_value("Oslo of Kept")


def test_a_run_is_started_again_with_its_parameters(forms: Server, open_page: Open) -> None:
    run = forms.start_run("plan", city="Narvik", days=7, stops=["Kiruna"])
    forms.ended(run)
    page = open_page(f"{forms.url}/runs/{run}")
    before = path(page)
    page.locator(".run-header").get_by_role("button", name="Run again").click()
    again = next_run(page, before)
    assert printed(forms, again) == {
        "city": "Narvik",
        "days": 7,
        "pace": "slow",
        "stops": ["Kiruna"],
    }


def test_a_run_is_started_again_from_the_list_of_all_runs(forms: Server, open_page: Open) -> None:
    run = forms.start_run("plan", city="Alta", days=2)
    forms.ended(run)
    page = open_page(f"{forms.url}/runs?job=plan")
    row = page.locator(".past").first
    row.get_by_role("button", name="Run again").click()
    again = next_run(page, "/runs")
    assert again != run
    assert printed(forms, again)["city"] == "Alta"


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


def test_run_again_asks_for_the_secret_with_the_rest_filled_in(
    forms: Server, open_page: Open
) -> None:
    run = forms.start_run("sign_in", user="eve", password="first secret", note="once more")
    forms.ended(run)
    page = open_page(f"{forms.url}/runs/{run}")
    before = path(page)
    page.locator(".run-header").get_by_role("button", name="Run again").click()
    card = card_of(page, "Sign in")
    expect(card.get_by_label("password", exact=True)).to_be_focused()
    expect(card.get_by_label("user")).to_have_value("eve")
    expect(card.get_by_label("note")).to_have_value("once more")
    expect(card.get_by_text("As in the chosen run.")).to_be_visible()
    assert path(page) == before
    page.keyboard.type("second secret")
    page.keyboard.press("Enter")
    again = next_run(page, before)
    values = printed(forms, again)
    assert values["digest"] == hashlib.sha256(b"second secret").hexdigest()
    assert values["note"] == "once more"


def test_on_a_phone_run_again_unfolds_the_form(forms: Server, open_page: Open) -> None:
    run = forms.start_run("sign_in", user="eve", password="first secret")
    forms.ended(run)
    page = open_page("about:blank")
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto(f"{forms.url}/runs/{run}")
    page.locator(".run-header").get_by_role("button", name="Run again").click()
    field = card_of(page, "Sign in").get_by_label("password", exact=True)
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(card_of(page, "Sign in").get_by_label("user")).to_have_value("eve")


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


def test_a_file_is_sent_at_once_and_the_run_gets_it(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Measure")
    start = card.get_by_role("button", name="Start Measure")
    start.click()
    chooser = card.locator("input[type=file]")
    expect(chooser).to_be_focused()
    expect(chooser).to_have_accessible_description(
        "A table of numbers. Up to 1 MiB. Please choose a file."
    )
    content = bytes(range(256)) * 3000
    chooser.set_input_files(file("numbers é.csv", content))
    expect(card.get_by_text("numbers é.csv, 768 kB")).to_be_visible(timeout=SECONDS)
    expect(chooser).not_to_have_attribute("aria-invalid", "true")
    run = press_start(page, "Measure")
    values = printed(forms, run)
    assert values["digest"] == hashlib.sha256(content).hexdigest()
    assert values["name"] == "numbers é.csv"
    expect(card.get_by_text("or drop it here")).to_be_visible()
    expect(page.locator(".run-params")).to_contain_text("data=numbers é.csv (768 kB)")


def test_a_file_is_sent_in_the_name_of_who_is_logged_in(
    tmp_path_factory: pytest.TempPathFactory, open_page: Open
) -> None:
    jobs = ROOT / "tests" / "programs" / "formjobs"
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, LOGIN="", SANDBOX_SPACES="3", JOBS_PATH=str(jobs)) as server:
        page = open_page(server.url)
        log_in(page)
        card = card_of(page, "Measure")
        chooser = card.locator("input[type=file]")
        chooser.set_input_files(file("first.csv", b"1"))
        expect(card.get_by_text("first.csv, 1 B")).to_be_visible(timeout=SECONDS)
        chooser.set_input_files(file("second.csv", b"22"))
        expect(card.get_by_text("second.csv, 2 B")).to_be_visible(timeout=SECONDS)
        press_start(page, "Measure")
        expect_state(page, "succeeded")
        eventually(lambda: any(hashlib.sha256(b"22").hexdigest() in line for line in lines(page)))


def test_a_file_is_removed_again_when_another_is_chosen(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    calls: list[str] = []
    page.on("requestfinished", lambda each: calls.append(f"{each.method} {each.url}"))
    card = card_of(page, "Measure")
    chooser = card.locator("input[type=file]")
    chooser.set_input_files(file("first.csv", b"1"))
    expect(card.get_by_text("first.csv, 1 B")).to_be_visible(timeout=SECONDS)
    chooser.set_input_files(file("second.csv", b"22"))
    expect(card.get_by_text("second.csv, 2 B")).to_be_visible(timeout=SECONDS)
    card.get_by_role("button", name="Remove second.csv").click()
    expect(chooser).to_be_focused()
    expect(card.get_by_text("or drop it here")).to_be_visible()
    eventually(lambda: page.title() and sum(call.startswith("DELETE") for call in calls) == 2)


def test_a_file_that_no_run_took_goes_with_the_page(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Measure")
    card.locator("input[type=file]").set_input_files(file("left.csv", b"left behind"))
    expect(card.get_by_text("left.csv, 11 B")).to_be_visible(timeout=SECONDS)
    uploads = forms.folder / "instance" / "uploads"
    assert holds(uploads, b"left behind")
    page.goto("about:blank")
    eventually(lambda: not holds(uploads, b"left behind"))


def holds(folder: Path, content: bytes) -> bool:
    """Whether a file of `folder` has this content."""
    for each in folder.rglob("*"):
        with contextlib.suppress(IsADirectoryError, FileNotFoundError):  # it may go meanwhile
            if each.read_bytes() == content:
                return True
    return False


def test_a_file_that_is_too_large_is_not_sent(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if "/uploads" in each.url else None)
    card = card_of(page, "Measure")
    chooser = card.locator("input[type=file]")
    chooser.set_input_files(file("large.csv", b"x" * (1 << 20) + b"x" * (1 << 19)))
    expect(chooser).to_have_accessible_description(
        "A table of numbers. Up to 1 MiB. This file has 1.5 MiB; at most 1 MiB."
    )
    card.get_by_role("button", name="Start Measure").click()
    expect(chooser).to_be_focused()
    assert not sent


def test_what_the_server_says_of_a_file_is_said_at_its_field(
    forms: Server, open_page: Open, tolerated: list[str]
) -> None:
    tolerated.append("status of 413")
    page = open_page(forms.url)
    card = card_of(page, "Wide")
    chooser = card.locator("input[type=file]")
    chooser.set_input_files(file("large.bin", b"x" * (6 << 20)))
    expect(card.locator(".field-error")).to_contain_text("at most 2 MiB", timeout=SECONDS)
    expect(chooser).to_have_attribute("aria-invalid", "true")


def test_a_file_can_be_dropped_and_a_second_one_with_it_is_refused(
    forms: Server, open_page: Open
) -> None:
    page = open_page(forms.url)
    card = card_of(page, "Measure")
    drop(card.locator(".upload"), "one.csv", "two.csv")
    expect(card.locator(".field-error").first).to_have_text("Only one file; these are 2.")
    drop(card.locator(".upload"), "one.csv")
    expect(card.get_by_text("one.csv, 7 B")).to_be_visible(timeout=SECONDS)


def file(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def drop(onto: Locator, *names: str) -> None:
    onto.evaluate(
        """(element, names) => {
            const data = new DataTransfer();
            for (const name of names) data.items.add(new File(["content"], name));
            const options = {dataTransfer: data, bubbles: true, cancelable: true};
            element.dispatchEvent(new DragEvent("dragover", options));
            element.dispatchEvent(new DragEvent("drop", options));
        }""",
        list(names),
    )


def test_a_card_tells_bounds_and_how_the_job_runs(forms: Server, open_page: Open) -> None:
    page = open_page(forms.url)
    expect(card_of(page, "Bounded").locator(".job-facts")).to_have_text(
        "at most 60 s, 16 MiB output, 2 at once; others wait", timeout=SECONDS
    )
    expect(card_of(page, "Boxed").locator(".job-facts")).to_have_text(
        "own process · at most 90 min, 30 s CPU, 512 MiB memory, 1 per user at once; others wait"
    )
    expect(card_of(page, "Plan").locator(".job-facts")).to_have_count(0)


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
