"""Files that are sent for a run from its form."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.formpages import (
    SECONDS,
    Open,
    card_of,
    press_start,
    printed,
)
from tests.browser.test_login import log_in
from tests.browser.test_page import expect_state, lines
from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server


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
    eventually(lambda: holds(uploads, b"left behind"))
    page.goto("about:blank")
    eventually(lambda: not holds(uploads, b"left behind"))


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


def holds(folder: Path, content: bytes) -> bool:
    """Whether a file of `folder` has this content."""
    for parent, _, names in os.walk(folder):  # which takes no offence at what goes meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                if Path(parent, name).read_bytes() == content:
                    return True
    return False


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
