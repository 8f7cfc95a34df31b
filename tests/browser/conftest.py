"""A real Chromium, and pages that fail their test on any error in the console."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.loggedprocess import ROOT
from tests.support.server import Server

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP evil.test 127.0.0.1",
]
PATIENCE_MS = 60_000  # what is sure to come may take this long on a machine that stalls
# What a page may say that is no fault: the network and the server are cut on purpose.
EXPECTED = ("net::ERR_", "WebSocket connection to", "503 (Service Unavailable)")


@pytest.fixture(scope="module")  # no longer: Playwright keeps an event loop in this thread
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "install Chromium: tools/install_test_system.sh does where it can"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def tolerated() -> list[str]:
    """What the pages of this test may say besides; a test adds to it."""
    return []


@pytest.fixture
def open_page(browser: Browser, tolerated: list[str]) -> Iterator[Callable[[str], Page]]:
    """Opens a page in a context of its own."""
    faults: list[str] = []
    contexts = []

    def open_one(url: str) -> Page:
        context = browser.new_context(viewport={"width": 1200, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                faults.append(message.text)
                if message.type == "error"
                and not any(part in message.text for part in (*EXPECTED, *tolerated))
                else None
            ),
        )
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        for page in context.pages:
            page.unroute_all(behavior="wait")  # one that is at work would fail the next test
        context.close()
    assert not faults


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with jobs whose forms have fields of every kind."""
    jobs = ROOT / "tests" / "programs" / "formjobs"
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, JOBS_PATH=str(jobs), MAX_UPLOAD_MIB="2") as server:
        yield server


@pytest.fixture(scope="module")
def going(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with jobs that ask, wait, show progress and are silent."""
    jobs = ROOT / "tests" / "programs" / "pagejobs"
    with Server(tmp_path_factory.mktemp("server"), JOBS_PATH=str(jobs)) as server:
        yield server
