"""The apps on the page: their state, Start, Stop, Restart and their output, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_page import expect_state, lines, path, toolbar
from tests.support.loggedprocess import ROOT
from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets
GREETER = ROOT / "tests" / "programs" / "greeter.py"
APPS = f"""
[apps.greeter]
command = ["{{python}}", "{GREETER}", "{{port}}"]
strip_prefix = true
ready_path = "/ready"

[apps.broken]
command = ["{{python}}", "-c", "print('no luck'); raise SystemExit(7)", "{{port}}"]
"""

Open = Callable[[str], Page]


@pytest.fixture
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("apps")
    (folder / "apps.toml").write_text(APPS)
    with Server(folder, APPS_FILE=str(folder / "apps.toml")) as running:
        yield running


def processes(server: Server, word: str) -> list[psutil.Process]:
    """Those whose arguments contain `word`; not their guards."""
    return [
        child
        for child in psutil.Process(server.pid).children(recursive=True)
        if word in child.cmdline() and not any("guard.py" in each for each in child.cmdline())
    ]


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name="Apps").get_by_role("region", name=title)


def expect_app(page: Page, title: str, state: str) -> None:
    expect(card(page, title).locator(".chip")).to_have_text(state, timeout=SECONDS)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def printed(page: Page, text: str) -> int:
    return sum(text in line for line in lines(page))


def test_from_start_to_stop(app_server: Server, open_page: Open) -> None:
    page = open_page(app_server.url)
    expect_app(page, "Greeter", "stopped")
    expect(card(page, "Greeter")).to_contain_text("It starts when somebody opens it")
    for name in ("Stop Greeter", "Restart Greeter", "Output of Greeter"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    expect(page.get_by_role("button", name="Start App greeter")).to_have_count(0)

    start = page.get_by_role("button", name="Start Greeter", exact=True)
    start.focus()
    page.keyboard.press("Enter")
    expect_app(page, "Greeter", "running")
    expect_state(page, "running")
    eventually(lambda: printed(page, "The greeter begins") == 1)
    expect(start).to_be_disabled()
    expect(start).to_be_focused()  # whoever works by keyboard goes on from here
    run = path(page)

    with page.context.expect_page() as opened:
        page.get_by_role("navigation", name="Apps").get_by_role("link", name="Greeter").click()
    expect(opened.value.get_by_role("heading")).to_have_text("The greeter is here", timeout=SECONDS)
    expect(card(page, "Greeter").get_by_role("link", name="Open Greeter")).to_have_attribute(
        "href", "/greeter/"
    )
    eventually(lambda: printed(page, "asked for /") == 1)

    processes(app_server, str(GREETER))[0].kill()
    eventually(lambda: printed(page, "[it ended by SIGKILL]") == 1)
    eventually(lambda: printed(page, "The greeter begins") == 2)
    expect_app(page, "Greeter", "running")

    (before,) = processes(app_server, str(GREETER))
    press(page, "Restart Greeter")
    eventually(lambda: printed(page, "[it is started again, as asked]") == 1)
    eventually(lambda: printed(page, "The greeter begins") == 3)
    expect_app(page, "Greeter", "running")
    assert processes(app_server, str(GREETER)) != [before]
    assert path(page) == run, "the output goes on where it was"

    toolbar(page, "Restart").click()
    eventually(lambda: printed(page, "The greeter begins") == 4)
    expect_app(page, "Greeter", "running")
    assert path(page) == run

    press(page, "Stop Greeter")
    expect_app(page, "Greeter", "stopped")
    expect(toolbar(page, "Restart")).to_have_count(0)
    expect(card(page, "Greeter")).to_contain_text("Stopped by hand")
    expect_state(page, "stopped")
    eventually(lambda: printed(page, "The app was stopped.") == 1)
    assert not processes(app_server, str(GREETER))


def test_what_a_visitor_started_shows_its_output_and_its_runs_stop_stops_it(
    app_server: Server, open_page: Open
) -> None:
    page, other = open_page(app_server.url), open_page(app_server.url)
    app_server.get("/greeter/")
    for each in (page, other):
        expect_app(each, "Greeter", "running")
        expect(each.locator(".run-row")).to_have_count(0)
    press(page, "Output of Greeter")
    eventually(lambda: printed(page, "asked for /") == 1)
    expect(page.get_by_role("button", name="Output of Greeter")).to_have_attribute(
        "aria-current", "true"
    )
    run = path(page)
    press(other, "Output of Greeter")
    eventually(lambda: path(other) == run)  # one run is enough for all pages of a user
    toolbar(other, "Stop").click()
    for each in (page, other):
        expect_state(each, "stopped")
        expect_app(each, "Greeter", "stopped")
    page.goto(app_server.url)
    press(page, "Output of Greeter")  # of the last time
    eventually(lambda: path(page) == run)


def test_an_app_that_does_not_come_up_says_why(app_server: Server, open_page: Open) -> None:
    page = open_page(app_server.url)
    press(page, "Start Broken")
    expect_app(page, "Broken", "failed")
    expect(card(page, "Broken")).to_contain_text("It ended with exit code 7. It is tried again")
    eventually(lambda: printed(page, "no luck") >= 2)
    press(page, "Stop Broken")
    expect_app(page, "Broken", "stopped")
    expect_state(page, "stopped")
    expect(card(page, "Broken")).not_to_contain_text("exit code")


def test_without_the_server_the_buttons_say_so(app_server: Server, open_page: Open) -> None:
    page = open_page(app_server.url)
    start = page.get_by_role("button", name="Start Greeter", exact=True)
    expect(start).to_be_enabled()
    app_server.stop()
    expect(start).to_be_disabled(timeout=SECONDS)
    expect(start).to_have_attribute("title", "Not connected to the server")
    app_server.start()
    expect(start).to_be_enabled(timeout=SECONDS)


def test_the_bokeh_example_under_apps(
    tmp_path_factory: pytest.TempPathFactory, open_page: Open
) -> None:
    apps = str(ROOT / "examples" / "apps.toml")
    with Server(tmp_path_factory.mktemp("bokeh"), APPS_FILE=apps) as server:
        page = open_page(server.url)
        expect_app(page, "Flexx", "stopped")
        press(page, "Start Bokeh")
        expect_app(page, "Bokeh", "running")
        for value in ("2", "3"):
            with page.context.expect_page() as opened:
                card(page, "Bokeh").get_by_role("link", name="Open Bokeh").click()
            shown = opened.value
            expect(shown.get_by_text("f is 1", exact=True)).to_be_visible(timeout=SECONDS)
            for _ in range(int(value) - 1):
                shown.locator(".noUi-handle").first.press("ArrowRight")
            expect(shown.get_by_text(f"f is {value}")).to_be_visible(timeout=SECONDS)
            eventually(lambda: printed(page, "Starting Bokeh server") >= 1)
            if value == "2":
                processes(server, "bokeh")[0].kill()
                eventually(lambda: printed(page, "[it ended by SIGKILL]") == 1)
                expect_app(page, "Bokeh", "running")
        assert printed(page, "Starting Bokeh server") == 2
