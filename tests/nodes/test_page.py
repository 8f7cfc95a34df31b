"""What somebody sees of it when all nodes are restarted, one after the other: nothing."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import browser as browser
from tests.browser.test_page import lines
from tests.nodes.fleet import Fleet, Load
from tests.support.patience import eventually

NOTE_STATES = """() => {
    window.states = [];
    const shown = document.querySelector(".connection");
    const note = () => window.states.push(shown.dataset.state);
    new MutationObserver(note).observe(shown, { attributes: true });
}"""


def test_a_rolling_restart_shows_no_fault_on_the_page(tmp_path: Path, browser: Browser) -> None:
    with Fleet(tmp_path) as fleet, Load(fleet) as load:
        (run,) = load.start_runs(1)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        faults: list[str] = []
        connections: list[str] = []
        page.on("websocket", lambda socket: connections.append(socket.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{fleet.url}/runs/{run}")
        expect(page.locator(".connection")).to_have_text("Connected", timeout=60_000)
        eventually(lambda: shown(page) > 100)
        page.evaluate(NOTE_STATES)
        for node in fleet.nodes:
            seen = shown(page)
            node.restart()
            eventually(lambda seen=seen: shown(page) > seen + 100)
        assert len(connections) > 1
        assert set(page.evaluate("window.states")) <= {"connected"}
        assert page.locator("[role=alert]:visible").count() == 0
        assert not faults
        context.close()


def shown(page: Page) -> int:
    """The number that the last line on the page begins with."""
    return max((int(line[:9]) for line in lines(page) if line[:9].isdigit()), default=-1)
