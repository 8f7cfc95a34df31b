"""The chat of examples/sockets.py in a real browser, which offers compression and sends Origin."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.sockets.serving import Serving
from tests.sockets.test_examples import RUN
from tests.support.loggedprocess import ROOT


def test_two_pages_chat_and_another_site_is_kept_out(tmp_path: Path) -> None:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "install Chromium: tools/install_test_system.sh does where it can"
    program = tmp_path / "sockets.py"
    program.write_bytes((ROOT / "examples" / "sockets.py").read_bytes())
    served = Serving(tmp_path, ["-c", RUN, str(program)])
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            own, other = f"http://127.0.0.1:{served.port}", f"http://localhost:{served.port}"
            pages = [browser.new_page() for _ in range(2)]
            for page in pages:
                page.goto(own)
                expect(page.locator("pre")).to_contain_text("this is your visit number 1")
            long = "long " * 200
            for page, words in zip(pages, ["hello", long], strict=True):
                page.locator("input").fill(words)
                page.locator("input").press("Enter")
            for page in pages:
                expect(page.locator("pre")).to_contain_text("hello")
                expect(page.locator("pre")).to_contain_text(long.strip())
            stranger = browser.new_page()
            stranger.goto(other)  # another origin, although the same machine
            code = stranger.evaluate(
                """(url) => new Promise((resolve) => {
                    new WebSocket(url).onclose = (event) => resolve(event.code);
                })""",
                own.replace("http", "ws") + "/chat/lobby",
            )
            assert code == 1006
            browser.close()
    finally:
        served.stop()
    assert "Traceback" not in served.log
