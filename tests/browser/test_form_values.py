"""Values of earlier runs in the forms of jobs, and runs that are started again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.formpages import (
    SECONDS,
    Open,
    card_of,
    next_run,
    path,
    printed,
)
from tests.support.patience import eventually
from tests.support.server import Server


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
